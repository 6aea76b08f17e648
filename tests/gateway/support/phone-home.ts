// Runs in a separate process. It starts a gateway with every telemetry variable that its libraries know, sends a request, and prints every
// name that was looked up and every address that was dialled.
import dns from 'node:dns';
import net from 'node:net';

const seen: string[] = [];
const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]) {
  const [first] = args;
  const options = (Array.isArray(first) ? first[0] : first) as { host?: string; path?: string };
  if (options.path === undefined) seen.push(`connect ${options.host ?? 'localhost'}`);
  return Reflect.apply(connect, this, args) as net.Socket;
} as typeof connect;
const { lookup } = dns;
dns.lookup = ((...args: unknown[]) => {
  seen.push(`lookup ${String(args[0])}`);
  return Reflect.apply(lookup, dns, args);
}) as typeof lookup;

Object.assign(process.env, { APOLLO_KEY: 'service:x:y', APOLLO_GRAPH_REF: 'x@y', APOLLO_SCHEMA_REPORTING: 'true' });
const { TestGateway } = await import('./gateway.ts');
const gateway = await new TestGateway('HTTP').start();
const { body } = await gateway.query('{ thing(id: "1") { price } }');
// No name may be looked up, at the start or soon after.
await new Promise((resolve) => setTimeout(resolve, 300));
await gateway.stop();
process.stdout.write(JSON.stringify({ body, seen: [...new Set(seen)] }));
