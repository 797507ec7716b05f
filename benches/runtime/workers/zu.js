import { createPool, isMain } from "@vixeny/knitting";
import * as tasks from "./tasks.js";
if (isMain) {
  const args=(globalThis.Deno?.args ?? process.argv); const n = Number(args.at(-2)), kind=args.at(-1);
  const pool = createPool({ threads: 1, permission:"unsafe" })(tasks); const call=pool.call;
  const value = kind==="u8"? new Uint8Array(n).fill(7) : kind==="str" ? "abcdefgh".repeat(n/8) : Array.from({length:n},(_, i)=>i+0.5);
  const b = kind==="u8"||kind==="str" ? (n>=1<<20?4:16) : 100;
  const batch=()=>{const all=new Array(b); for(let i=0;i<b;i++) all[i]=call.echo(value); return Promise.all(all)};
  for(let i=0;i<300;i++) await batch();
  const rs=[]; for(let k=0;k<5;k++){const t=performance.now(); let m=0; while(performance.now()-t<400){ await batch(); m+=b;} rs.push((performance.now()-t)*1000/m);}
  console.log("us per call",n,kind, rs.map(x=>x.toFixed(2)).join(" "));
  await pool.shutdown();
}
