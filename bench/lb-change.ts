// The time that a change of a member takes. It is measured from `poolMemberUpdate` to the effect in HAProxy, and compared with
// `projectUpdate` and the plain command on the runtime socket. On the node alone, it is measured from the wanted state to HAProxy's
// confirmation, with the file written. Members, weights and certificates need no reload.
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { percentile, rounded } from '../measure/statistics.ts';
import { makeCertificate } from '../platform/net/certificates.ts';
import { changesByMutation } from './lb/changes-by-mutation.ts';
import { partOf, startMembers, startNode } from './lb/data-places.ts';

const counts = {
  mutations: { help: 'changes of a weight by mutation, and as many of a project with a bare command', usual: 200 },
  changes: { help: 'changes of a weight on the node alone, and as many bare commands', usual: 500 },
};

export const benchLbChange = defineBench({ counts, run });

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { counts, signal } = context;
  const { changesMs, floorsMs, answersMs, reloads } = await changesByMutation(counts.mutations, signal);
  const [changeP50Ms, floorP50Ms] = [percentile(changesMs, 0.5), percentile(floorsMs, 0.5)];
  const onNode = await changesOnNode(context);
  const all = reloads + onNode.reloads;
  return {
    figures: {
      ...{ changeP50Ms: rounded(changeP50Ms, 2), floorP50Ms: rounded(floorP50Ms, 2) },
      ...{ changeToFloor: rounded(changeP50Ms / floorP50Ms, 2), reloads: all },
      ...{ answerP50Ms: rounded(percentile(answersMs, 0.5), 2), changeP99Ms: rounded(percentile(changesMs, 0.99), 2) },
      ...{ onNode: onNode.figures, machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1) },
    },
    faults: [...onNode.disagreements, ...(all > 0 ? [`${all} changes needed a reload`] : [])],
  };
}

async function changesOnNode(context: BenchContext<keyof typeof counts>) {
  const { counts, signal } = context;
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-lb-change-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const memberPort = await startMembers(stack, folder);
  const node = await startNode(stack, folder, memberPort);
  const member = node.wanted.parts.find(({ kind }) => kind === 'PoolMember');
  if (member === undefined) throw new Error('the node has no member');
  let reloads = 0;
  const apply = async () => {
    if ((await node.haproxy.apply(node.model())).reloaded) reloads += 1;
  };
  const changes: number[] = [];
  const commands: number[] = [];
  for (let n = 0; n < counts.changes; n += 1) {
    signal.throwIfAborted();
    const weight = 2 + (n % 2);
    const parts = node.wanted.parts.map((part) =>
      part.id === member.id ? { ...part, spec: { ...part.spec, weight } } : part,
    );
    changes.push(
      await timed(async () => {
        node.wanted = { ...node.wanted, parts };
        await apply();
      }),
    );
    const command = `set server p_${member.parentId}/m_${member.id} weight ${weight}`;
    commands.push(await timed(() => node.haproxy.runtime.tell(command)));
  }
  // Other changes that must not cause a reload.
  for (let n = 0; n < 10; n += 1) {
    const added = partOf('PoolMember', member.parentId, { host: '127.0.0.3', port: memberPort });
    const { cert, key } = await makeCertificate({ commonName: 'bench', names: ['bench.test'] });
    const certificates = node.wanted.certificates.map((each) => ({ ...each, pem: `${cert}${key}` }));
    const { parts } = node.wanted;
    for (const next of [[...parts, added], parts]) {
      node.wanted = { ...node.wanted, parts: next, certificates };
      await apply();
    }
  }
  await node.haproxy.settled();
  const disagreements = await node.haproxy.disagreements();
  const [applyP50Ms, commandP50Ms] = [percentile(changes, 0.5), percentile(commands, 0.5)];
  return {
    figures: {
      ...{ applyP50Ms: rounded(applyP50Ms, 2), commandP50Ms: rounded(commandP50Ms, 2) },
      overCommandMs: rounded(applyP50Ms - commandP50Ms, 2),
    },
    ...{ reloads, disagreements },
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}
