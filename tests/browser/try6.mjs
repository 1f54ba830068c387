import { serve, launch } from "./try.mjs"; import http from "node:http";
const s=await serve(process.argv[2]||"/tmp/frames-dist1"); const b=await launch();
const look=()=>{ const o=[]; for (const [n,sel] of [["stage",".stage-view"],["play","#play"],["next","#next"],["tape",".scrub"],["cap",".story-caption"]]) { const e=document.querySelector(sel); const x=e?.getBoundingClientRect(); o.push(!e||x.height<1?n+" gone":`${n} ${Math.round(x.top)}-${Math.round(x.bottom)}`); } o.push("doc "+document.documentElement.scrollHeight+" win "+innerHeight); return o.join("; "); };
for (const slug of ["load-balancing","consistent-hashing","caching"]) for (const [w,h,opt] of [[800,450,{plots:1}],[800,450,{twin:1}],[1100,450,{twin:1}],[1100,450,{plots:1}],[700,450,{touch:1}],[1100,450,{touch:1}],[1100,450,{story:1}],[800,450,{story:1}],[800,450,{knobs:1}],[400,450,{knobs:1}],[1100,450,{zoom:1}]]) {
 const c=await b.newContext({viewport:{width:w,height:h},hasTouch:!!opt.touch,isMobile:!!opt.touch}); const p=await c.newPage();
 await p.goto(`${s.url}embed/${slug}/?links=0&resize=off${opt.story?"&hide=story":""}`); await p.waitForSelector("html[data-ready]");
 if(opt.plots) await p.locator("[data-opens=tape]").click(); if(opt.knobs) await p.locator("[data-opens=knobs]").click();
 if(opt.twin) { await p.keyboard.press("c"); await p.locator("#compare, [id=compare]").first().click().catch(()=>{}); }
 await p.waitForTimeout(400); await p.evaluate(()=>scrollTo(0,0));
 console.log(slug,w,h,JSON.stringify(opt),await p.evaluate(look)); await c.close(); }
await b.close(); s.stop();
