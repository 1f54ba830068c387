import { chromium as B } from "@playwright/test";
import { chromium } from "./chromium.mjs";
import http from "node:http"; import fs from "node:fs"; import path from "node:path";
export function serve(dir, port=0){ const types={html:"text/html",js:"text/javascript",wasm:"application/wasm",json:"application/json",css:"text/css",svg:"image/svg+xml",woff2:"font/woff2",png:"image/png"};
 const s=http.createServer((q,r)=>{ let p=new URL(q.url,"http://x").pathname; let f=path.join(dir,decodeURIComponent(p)); try{ if(fs.statSync(f).isDirectory()) f=path.join(f,"index.html"); const b=fs.readFileSync(f); r.writeHead(200,{"content-type":types[f.split(".").pop()]||"application/octet-stream","access-control-allow-origin":"*"}).end(b);}catch{ r.writeHead(404,{"access-control-allow-origin":"*"}).end("no"); } });
 return new Promise(d=>s.listen(port,"127.0.0.1",()=>d({url:`http://127.0.0.1:${s.address().port}/`,stop:()=>s.close()}))); }
export const launch=()=>B.launch(chromium);
