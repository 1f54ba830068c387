import { serve, launch } from "./try.mjs"; import http from "node:http"; import fs from "node:fs";
const dir=process.argv[2]||"/tmp/frames-dist1"; const s=await serve(dir); const b=await launch();
const slugs=(process.argv[3]||"load-balancing,consistent-hashing,caching").split(",");
for (const slug of slugs) for (const [w,h] of [[320,560],[450,560],[600,560],[800,560],[1000,560]]) {
 const hp=http.createServer((q,r)=>r.writeHead(200,{"content-type":"text/html"}).end(`<!doctype html><script>told=[];addEventListener("message",e=>{ if(e.data?.message==="height"||e.data?.type==="resize") told.push((e.data.message?"wp ":"r ")+(e.data.value||e.data.height)); const f=document.querySelector("iframe"); if (e.data?.value && ${process.argv[4]?1:0}) f.height=e.data.value})</script><iframe sandbox="allow-scripts" src="${s.url}embed/${slug}/#?secret=abc1234567" width=${w} height=${h} style="border:0"></iframe>`)); await new Promise(d=>hp.listen(0,d));
 const p=await b.newPage({viewport:{width:1100,height:1000}}); await p.goto(`http://localhost:${hp.address().port}/`); const f=p.frames()[1];
 const m=await f.evaluate(()=>{const e=document.querySelector("#static .lesson.embed"); return e? [e.getBoundingClientRect().height, e.querySelector(".stage-view")?.getBoundingClientRect().height, e.querySelector("#boot")?.getBoundingClientRect().height, e.querySelector(".embed-foot")?.getBoundingClientRect().height, document.querySelector(".stage-view svg").getAttribute("viewBox")]:null}).catch(()=>0);
 await p.frameLocator("iframe").locator("html[data-ready]").waitFor(); await p.waitForTimeout(1200);
 const st=await f.evaluate(()=>({tape:document.querySelector(".tape").getBoundingClientRect().height,dr:document.querySelector(".drawers").getBoundingClientRect().height,key:document.querySelector(".stage-key")?.getBoundingClientRect().height,nat:document.querySelector(".stage-view").style.getPropertyValue("--natural"), story:document.querySelector(".story").getBoundingClientRect().height}));
 console.log(slug,w,h,"static",JSON.stringify(m),"told",await p.evaluate(()=>told.join(" ")),JSON.stringify(st)); await p.close(); hp.close(); }
await b.close(); s.stop();
