// The network, by every way out.
import net from "node:net";
import dgram from "node:dgram";
import dns from "node:dns";
import http from "node:http";
import { once } from "node:events";

const connected = async (socket) => {
  await once(socket, "connect");
  socket.destroy();
  return "connected";
};

export default (attempt, { tcp, udp, unix, abstract }) => {
  attempt("net: fetch", async () => (await fetch(`http://127.0.0.1:${tcp}/`)).status);
  attempt("net: http", () => new Promise((done, fail) => http.get(`http://127.0.0.1:${tcp}/`, (r) => done(r.statusCode)).on("error", fail)));
  attempt("net: TCP", () => connected(net.connect(tcp, "127.0.0.1")));
  attempt("net: TCP over IPv6", () => connected(net.connect(tcp, "::1")));
  attempt("net: WebSocket", () =>
    new Promise((done, fail) => {
      const socket = new WebSocket(`ws://127.0.0.1:${tcp}/`);
      socket.onopen = () => done("open");
      socket.onerror = (event) => fail(new Error(event.message ?? "failed"));
    }));
  attempt("net: UDP", () =>
    new Promise((done, fail) => {
      const socket = dgram.createSocket("udp4").on("error", fail);
      socket.send("hello", udp, "127.0.0.1", (error) => (error ? fail(error) : done("sent")));
    }));
  attempt("net: UNIX socket", () => connected(net.connect(unix)));
  attempt("net: abstract UNIX socket", () => connected(net.connect(`\0${abstract}`)));
  attempt("net: listen", async () => {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    server.close();
    return "listening";
  });
  attempt("net: listen on a UNIX socket", async () => {
    const server = net.createServer().listen("sub/socket");
    await once(server, "listening");
    server.close();
    return "listening";
  });
  // The harness looks whether anything leaves: the resolver is named by its address.
  attempt("net: DNS", () =>
    new Promise((done, fail) => {
      const resolver = new dns.Resolver({ timeout: 500, tries: 1 });
      resolver.setServers([`127.0.0.1:${udp}`]);
      resolver.resolve4("stolen.example", (error, got) => (error && error.code !== "ETIMEOUT" ? fail(error) : done(got ?? "asked")));
    }));
  attempt("net: look a name up", async () => (await dns.promises.lookup("localhost")).address);
  if (runtime === "deno") {
    attempt("net: Deno.connect", async () => (await Deno.connect({ port: tcp }), "connected"));
    attempt("net: Deno.listen", () => (Deno.listen({ port: 0 }), "listening"));
    attempt("net: Deno.resolveDns", () =>
      Deno.resolveDns("stolen.example", "A", { nameServer: { ipAddr: "127.0.0.1", port: udp } }));
  }
  if (runtime === "bun") {
    attempt("net: Bun.connect", async () => (await Bun.connect({ hostname: "127.0.0.1", port: tcp, socket: { data() {} } }), "connected"));
    attempt("net: Bun.listen", () => (Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } }), "listening"));
    attempt("net: Bun.serve", () => (Bun.serve({ port: 0, fetch: () => new Response("") }), "listening"));
    attempt("net: Bun.udpSocket", async () => ((await Bun.udpSocket({})).send("hello", udp, "127.0.0.1"), "sent"));
    attempt("net: fetch over a UNIX socket", async () => (await fetch("http://x/", { unix })).status);
    attempt("net: Bun.sql", async () => {
      const sql = new Bun.SQL(`postgres://127.0.0.1:${tcp}/x`, { connectionTimeout: 1 });
      return await sql`select 1`;
    });
  }
};
