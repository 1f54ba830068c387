import { serve, launch } from "./try.mjs"; import http from "node:http";
const s=await serve(process.argv[2]||"/tmp/frames-dist1"); const b=await launch();
const slug=process.argv[3]||"little-law";
const h=http.createServer((q,r)=>r.writeHead(200,{"content-type":"text/html"}).end(`<!doctype html><iframe sandbox="allow-scripts" security="restricted" src="${s.url}embed/${slug}/" width=600 height=560></iframe>`)); await new Promise(d=>h.listen(0,d));
const p=await b.newPage(); p.on("console",m=>console.log(m.type(),m.text().slice(0,200))); p.on("pageerror",e=>console.log("UNCAUGHT",String(e)));
await p.goto(`http://localhost:${h.address().port}/`); const f=p.frameLocator("iframe"); await f.locator("html[data-ready]").waitFor();
const n=await f.locator(".dot").count();
for(let i=0;i<n;i++){ await f.locator(".dot").nth(i).evaluate(x=>x.click()); await p.waitForTimeout(700); const a=f.locator(".predict button.answer"); if(await a.count()){ const t=await a.allInnerTexts(); await a.first().click(); await p.waitForTimeout(300); console.log(i,t,await f.locator(".story-text").innerText()); } }
await b.close(); s.stop(); h.close();
