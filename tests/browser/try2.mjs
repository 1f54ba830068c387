import { serve, launch } from "./try.mjs";
const s=await serve(process.argv[2]||"/tmp/frames-dist1"); const b=await launch();
for (const [name,answer] of [["404",r=>r.fulfill({status:404,body:"no"})],["html",r=>r.fulfill({status:200,contentType:"text/html",body:"<!doctype html><title>x</title>"})],["cut",async r=>{const a=await r.fetch(); r.fulfill({status:200,body:(await a.body()).subarray(0,500),contentType:"application/wasm"})}],["other",async r=>{const a=await r.fetch({url:s.url+(await (await fetch(s.url+"l/caching/")).text()).match(/loadlab-site-\w+_\*\.wasm/)[0].replace("*","sharding.rest")}); r.fulfill({status:200,body:await a.body(),contentType:"application/wasm"})}]])
for (const how of ["hand","script","next","home"]) {
 const p=await b.newPage(); const said=[]; p.on("console",m=>said.push(m.type()+" "+m.text().slice(0,150))); p.on("pageerror",e=>said.push("UNCAUGHT "+String(e).slice(0,150)));
 await p.goto(s.url+"l/load-balancing/"); await p.waitForSelector("html[data-ready]");
 await p.route(how==="next"||how==="home"?/(_[a-z-]+|rest)\.wasm/:/[_.]rest\.wasm$/,answer);
 if (how==="hand"){ await p.mouse.move(300,300); await p.mouse.move(310,310); await p.waitForTimeout(600); await p.getByRole("button",{name:"Share",exact:true}).click(); }
 else if (how==="script") await p.getByRole("button",{name:"Share",exact:true}).first().evaluate(x=>x.click());
 else if (how==="next") await p.locator(".next-card").first().evaluate(x=>x.click());
 else await p.locator(".brand").first().evaluate(x=>x.click());
 await p.waitForTimeout(800);
 const d=await p.locator("dialog[open], #boot:not([hidden]), .notice").allInnerTexts().catch(()=>[]);
 console.log(name,how,p.url().slice(s.url.length),JSON.stringify(d.map(t=>t.slice(0,200))),said); await p.close();
}
await b.close(); s.stop();
