import { serve, launch } from "./try.mjs"; import fs from "node:fs";
const dir=process.argv[2]||"dist"; const s=await serve(dir); const b=await launch();
const slugs=process.argv[3]&&process.argv[3]!=="all"?process.argv[3].split(","):fs.readdirSync(dir+"/embed").filter(x=>!x.endsWith(".js"));
const sizes=(process.argv[4]||"320x256,600x450,960x450,1280x450").split(",").map(x=>x.split("x").map(Number));
const p=await b.newPage({reducedMotion:"reduce"});
for (const slug of slugs) { await p.setViewportSize({width:sizes[0][0],height:sizes[0][1]});
 await p.goto(`${s.url}embed/${slug}/`); await p.waitForSelector("html[data-ready]"); await p.waitForTimeout(200);
 const n=await p.locator(".dot").count(); const pick=process.argv[5]?process.argv[5].split(",").map(Number):[0,1,Math.floor(n/2)];
 for (const i of pick) { await p.locator(".dot").nth(i).evaluate(x=>x.click()); await p.waitForTimeout(250);
 for (const [w,h] of sizes) { await p.setViewportSize({width:w,height:h}); await p.waitForTimeout(120);
 const r=await p.evaluate(()=>{ const o=[]; for (const [n,sel] of [["stage",".stage-view"],["play","#play"],["next","#next"],["tape",".scrub"],["cap",".story-caption"]]) { const e=document.querySelector(sel); const x=e?.getBoundingClientRect(); if(!e||x.height<1) {o.push(n+" gone");continue;} if (x.bottom>innerHeight+1||x.top<-1||x.right>innerWidth+1) o.push(`${n} ${Math.round(x.top)}-${Math.round(x.bottom)}`); if(n==="stage"&&x.height<70) o.push("stage only "+Math.round(x.height)); } return o; });
 if (r.length) console.log(slug,i,w,h,r.join("; ")); } } }
await b.close(); s.stop();
