// The whole path of a change: from the mutation to its effect in HAProxy, in the system of `npm start` with its own host. It alternates
// with the simplest mutation of the same gateway and with the plain command on the runtime socket.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCertificate } from '../../platform/net/certificates.ts';
import { decodeId } from '../../platform/values/ids.ts';
import { RuntimeSocket } from '../../subgraphs/loadbalancer/agents/lbhost/haproxy/runtime-socket.ts';
import { projectWrites } from '../support/project-writes.ts';
import { type Balancer, BalancerSystem, folderOfNode } from './balancer-system.ts';
import { RuntimeLine } from './runtime-line.ts';

interface ChangeFigures {
  readonly changesMs: readonly number[];
  readonly floorsMs: readonly number[];
  readonly answersMs: readonly number[];
  readonly reloads: number;
}

const lookMs = 1;
/** After this time, follow-up work of a change is over, such as the report of its node. */
const quietMs = 50;
const others = 10;

export async function changesByMutation(count: number, signal: AbortSignal): Promise<ChangeFigures> {
  await using stack = new AsyncDisposableStack();
  const balancers = await BalancerSystem.start(stack, signal);
  const { client, system } = balancers;
  const { id, nodes, pools } = await balancers.create(1);
  const path = join(await folderOfNode(nodes[0]?.name ?? ''), 'run.sock');
  const [pool] = pools;
  const member = pool.members.nodes[0]?.id ?? '';
  const server = `p_${decodeId(pool.id)?.key}/m_${decodeId(member)?.key}`;
  const renew = await serveByTls(balancers, id);
  const updateProject = await projectWrites(client, system.started.adminPassword, 1);
  const [watch, commands] = [await RuntimeLine.open(path), await RuntimeLine.open(path)];
  stack.defer(() => watch.close());
  stack.defer(() => commands.close());
  const workers = new Set<string | undefined>();
  const noteWorker = async () => workers.add(/^Pid: (\d+)$/m.exec(await new RuntimeSocket(path).ask('show info'))?.[1]);

  const figures = { changesMs: [] as number[], floorsMs: [] as number[], answersMs: [] as number[] };
  let weight = 1;
  const change = async () => {
    weight = weight === 2 ? 3 : 2;
    const fromMs = performance.now();
    const answered = balancers
      .change('poolMemberUpdate', 'PoolMemberUpdateInput', { id: member, weight })
      .then(() => figures.answersMs.push(performance.now() - fromMs));
    while (!(await watch.ask(`get weight ${server}`)).startsWith(`${weight} `))
      await sleep(lookMs, undefined, { signal });
    figures.changesMs.push(performance.now() - fromMs);
    await answered;
  };
  const floor = async () => {
    const fromMs = performance.now();
    await updateProject();
    // Sets the current weight, so that the next change has nothing to repair.
    await commands.ask(`set server ${server} weight ${weight}`);
    figures.floorsMs.push(performance.now() - fromMs);
  };
  await noteWorker();
  for (let n = 0; n < count; n += 1)
    for (const turn of n % 2 === 0 ? [floor, change] : [change, floor]) {
      await turn();
      await sleep(quietMs, undefined, { signal });
    }
  await noteWorker();
  const { WEB3: host, WEB_PORT: port } = await balancers.places();
  for (let n = 0; n < others; n += 1) {
    const now = (await active(balancers)).pools[0].members.nodes.find((each) => each.host === host);
    await balancers.change('poolMemberDelete', 'PoolMemberDeleteInput', { id: now?.id });
    await active(balancers);
    await balancers.change('poolMemberCreate', 'PoolMemberCreateInput', { poolId: pool.id, host, port: Number(port) });
    await renew();
    await active(balancers);
    await noteWorker();
  }
  return { ...figures, reloads: workers.size - 1 };
}

/** A listener with a certificate. Returns a function that renews it. */
async function serveByTls(balancers: BalancerSystem, loadBalancerId: string): Promise<() => Promise<void>> {
  const pem = async () => {
    const { cert: chain, key: privateKey } = await makeCertificate({ commonName: 'bench', names: ['bench.test'] });
    return { chain, privateKey };
  };
  const { tlsCertificate } = await balancers.change<{ readonly tlsCertificate: { readonly id: string } }>(
    'tlsCertificateCreate',
    'TlsCertificateCreateInput',
    { name: 'bench', ...(await pem()) },
    'tlsCertificate { id }',
  );
  const { id } = tlsCertificate;
  await balancers.change('listenerCreate', 'ListenerCreateInput', {
    ...{ loadBalancerId, protocol: 'TERMINATED_HTTPS', port: 8443, certificateIds: [id] },
  });
  await active(balancers);
  return async () =>
    void (await balancers.change('tlsCertificateUpdate', 'TlsCertificateUpdateInput', { id, ...(await pem()) }));
}

function active(balancers: BalancerSystem): Promise<Balancer> {
  return balancers.until('the change', ({ provisioningStatus }) => provisioningStatus === 'ACTIVE');
}
