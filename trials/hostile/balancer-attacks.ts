// Attacks a load balancer as a client without the certificate that its listeners require: TLS sessions of one listener at another, upgrades
// that tunnel past a policy, and headers that only the load balancer may set. Its members are the judges: each request that reaches a
// forbidden member is a leak.
import { connect as connectTcp, type Socket } from 'node:net';
import { connect, type SecureVersion } from 'node:tls';
import { type CertificateAndKey, makeCertificate } from '../../platform/net/certificates.ts';
import { HaproxyNode } from '../../tests/subgraphs/loadbalancer/support/haproxy-node.ts';
import { eagerMember, webMember } from '../../tests/subgraphs/loadbalancer/support/members.ts';
import { visit } from '../../tests/subgraphs/loadbalancer/support/tls-visit.ts';
import type { Random } from '../random.ts';
import type { Judge } from './verdict.ts';

const workers = 2;
const waitMs = 2_000;
const versions: readonly SecureVersion[] = ['TLSv1.2', 'TLSv1.3'];
/** Headers that this listener sets, or that another listener sets from a client's certificate. */
const spoofed = ['X-Forwarded-For', 'x-forwarded-for', 'X_Forwarded_For', 'X-SSL-Client-CN', 'x_ssl_client_cn'];
const spoofedAddress = '198.51.100.66';
const protocols = ['h2c', 'H2C', 'foo, h2c', 'h2c, websocket', ' h2c', 'h2c-14', 'HTTP/2.0', 'TLS/1.0', 'websocket'];
const connections = ['Upgrade', 'Upgrade, HTTP2-Settings', 'upgrade,close', 'keep-alive, Upgrade'];

interface BalancerUnderAttack {
  /** Resolves with the number of attacks. */
  run(attacks: number, isOver: () => boolean): Promise<number>;
  /** A judge that receives nothing proves nothing. So the owner must be served, and its member must receive the request. */
  prove(): Promise<void>;
  stop(): Promise<void>;
}

export async function balancerUnderAttack(judge: Judge, random: Random): Promise<BalancerUnderAttack> {
  const stack = new AsyncDisposableStack();
  const authority = (commonName: string) => makeCertificate({ commonName, use: 'authority' });
  const [owners, others] = [await authority('Owners'), await authority('Others')];
  const shown = await makeCertificate({ commonName: 'a', names: ['a.test'] });
  const alice = await makeCertificate({ commonName: 'alice', use: 'client', issuer: owners });
  const mallory = await makeCertificate({ commonName: 'mallory', use: 'client', issuer: others });
  const eager = await eagerMember((head) => {
    const [line = ''] = head.split('\r\n');
    if (line.includes('/admin')) judge.found('leak', `past its policy a member got ${line}`);
    if (head.includes(spoofedAddress)) judge.found('leak', `a member received another client's identity: ${head}`);
  });
  stack.defer(() => eager.stop());
  const [secret, theirs] = [await webMember('secret'), await webMember('theirs')];
  stack.defer(() => Promise.all([secret.stop(), theirs.stop()]).then(() => undefined));
  const node = await HaproxyNode.make();
  stack.defer(() => node.stop());
  const poolOf = ({ port }: { readonly port: number }) => {
    const pool = node.pool();
    node.member(pool, port);
    return pool.id;
  };
  const [open, ofOthers, ofOwners] = [poolOf(eager), poolOf(theirs), poolOf(secret)];
  const secure = { protocol: 'TERMINATED_HTTPS', certificates: [node.certificate(`${shown.cert}${shown.key}`)] };
  const mandatory = ({ cert }: CertificateAndKey) => ({
    ...{ ...secure, clientAuthentication: 'MANDATORY', clientAuthorities: cert },
  });
  const given = { defaultPool: open, insertHeaders: ['X_FORWARDED_FOR'] };
  const plain = await node.listener(given);
  const terminated = await node.listener({ ...secure, ...given });
  for (const listener of [plain, terminated])
    node.policy(listener, { action: 'REJECT' }, { ruleType: 'PATH', compareType: 'STARTS_WITH', value: '/admin' });
  const forOthers = await node.listener({ ...mandatory(others), defaultPool: ofOthers });
  const forOwners = await node.listener({
    ...{ ...mandatory(owners), defaultPool: ofOwners, insertHeaders: ['X_SSL_CLIENT_CN'] },
  });
  await node.start();

  /** Presents a session that was issued for lower requirements where higher ones apply. */
  const resume = async () => {
    const version = random.pick(versions);
    const [from, cert] = random.pick([
      [terminated, undefined],
      [forOthers, mallory],
    ] as const);
    const { session } = await visit(from.port, version, { shown: cert });
    const { answer } = await visit(forOwners.port, version, { session, shown: cert });
    if (answer.includes(' 200 ') || secret.asked.length > 0)
      judge.found('leak', `${version}: a session of another listener passed for a certificate: ${answer}`);
  };
  /** An upgrade, followed by a request that a policy rejects, in the form in which the member would receive it. */
  const tunnel = async () => {
    const socket: Socket =
      random.next() < 0.5
        ? connect({ port: terminated.port, host: '127.0.0.1', servername: 'a.test', rejectUnauthorized: false })
        : connectTcp(plain.port, '127.0.0.1');
    const spoof = `${random.pick(spoofed)}: ${spoofedAddress}`;
    const upgrade = [
      ...[`${random.pick(['GET', 'POST', 'CONNECT'])} / HTTP/1.1`, 'Host: a.test', spoof],
      ...[`Connection: ${random.pick(connections)}`, `Upgrade: ${random.pick(protocols)}`],
      'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
    ];
    const forbidden = [`GET /admin${random.pick(['', '/', '?x=1'])} HTTP/1.1`, 'Host: a.test', spoof];
    for (const head of [upgrade, forbidden]) await answered(socket, `${head.join('\r\n')}\r\n\r\n`);
    socket.destroy();
  };
  return {
    async run(attacks, isOver) {
      let tried = 0;
      const worker = async (): Promise<void> => {
        while (tried < attacks && !isOver()) {
          tried += 1;
          await (random.next() < 0.5 ? resume() : tunnel());
        }
      };
      await Promise.all(Array.from({ length: workers }, worker));
      return tried;
    },
    async prove() {
      const { answer } = await visit(forOwners.port, 'TLSv1.3', { shown: alice });
      if (!answer.includes(' 200 ') || secret.asked.length === 0)
        throw new Error(`the owner of the listener is not served: ${answer}`);
    },
    stop: () => stack.disposeAsync(),
  };
}

function answered(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve) => {
    const end = setTimeout(resolve, waitMs);
    const done = () => {
      clearTimeout(end);
      resolve();
    };
    socket.once('data', done).once('close', done).once('error', done);
    socket.write(text);
  });
}
