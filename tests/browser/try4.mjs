import { serve, launch } from "./try.mjs";
const s=await serve(process.argv[2]||"dist"); const b=await launch();
const slugs=(process.argv[3]||"load-balancing,consistent-hashing").split(",");
const sizes=(process.argv[4]||"320x256,450x450,600x450,800x450,1000x450,600x560,800x560,1600x900").split(",").map(x=>x.split("x").map(Number));
const beats=(process.argv[5]||"1,2").split(",");
const dark=process.argv[6]; const q=process.argv[7]||"";
for (const slug of slugs) for (const [w,h] of sizes) for (const beat of beats) {
 const p=await b.newPage({viewport:{width:w,height:h},colorScheme:dark?"dark":"light",reducedMotion:"reduce"});
 await p.goto(`${s.url}embed/${slug}/?beat=${beat}${q}`); await p.waitForSelector("html[data-ready]"); await p.waitForTimeout(300);
 const r=await p.evaluate(()=>{ const o={}; for (const [n,sel] of [["stage",".stage-view"],["play","#play"],["next","#next"],["tape",".scrub"],["cap",".story-caption"]]) { const e=document.querySelector(sel); if(!e){o[n]="none";continue;} const x=e.getBoundingClientRect(); o[n]=`${Math.round(x.top)}-${Math.round(x.bottom)}`; } o.doc=document.documentElement.scrollHeight; o.nat=document.querySelector(".stage-view")?.style.cssText; o.cut=[...document.querySelectorAll(".lab,.side,.story-text,.stage-view")].filter(e=>e.scrollHeight>e.clientHeight+1).map(e=>e.className+":"+e.scrollHeight+">"+e.clientHeight); return o; });
 console.log(slug,w,h,beat,JSON.stringify(r)); await p.screenshot({path:`/tmp/fr-${slug}-${w}x${h}-${beat}${dark?"-dark":""}.png`}); await p.close(); }
await b.close(); s.stop();
