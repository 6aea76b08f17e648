// Which hosts get a vote, and how the etcd members follow. The members are real. The reconciler takes one step at a time, and another process
// may take the next.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DataFolder, openDataFolder } from '../../../embedded/data-folder.ts';
import { type EmbeddedEtcd, startEtcd } from '../../../embedded/etcd.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { haKeys } from '../../../ha/agent/keys.ts';
import { Cluster } from '../../../ha/cluster.ts';
import type { EtcdClient } from '../../../ha/etcd.ts';
import { type Member, peerUrl } from '../../../ha/host/host-file.ts';
import { moveVotes, VoteReconciler, withOneMoreVote } from '../../../ha/host/votes.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';
import { type EtcdCluster, etcdCluster } from '../etcd-cluster.ts';

const host = (name: string, more: Partial<Member> = {}): Member => ({
  ...{ name, address: `192.0.2.${name.charCodeAt(0)}`, kind: name === 'w' ? 'witness' : 'data' },
  ...{ serverId: name.charCodeAt(0), ...more },
});
const all = () => true;
const votersOf = (members: readonly Member[] | undefined) =>
  members?.filter(({ vote, left }) => vote !== false && left !== true).map(({ name }) => name);

type Hosts = Readonly<Record<'a' | 'b' | 'w' | 'c', Member>>;

function hostsOf({ urls: [one = ''] }: EtcdCluster): Hosts {
  const addressOf = (last: number) => new URL(one).hostname.replace(/\.\d+$/, `.${last}`);
  return {
    a: host('a', { address: addressOf(1) }),
    b: host('b', { address: addressOf(2) }),
    w: host('w', { address: addressOf(3) }),
    c: host('c', { address: addressOf(4), vote: false }),
  };
}

/** Members by name. A learner has a question mark. */
async function presentIn(etcd: EtcdClient, hosts: Hosts): Promise<readonly string[]> {
  const nameOf = (urls: readonly string[]) =>
    Object.values(hosts).find((each) => urls.includes(peerUrl(each)))?.name ?? String(urls);
  const members = await etcd.members();
  return members.map(({ peerUrls, isLearner }) => `${nameOf(peerUrls)}${isLearner ? '?' : ''}`).sort();
}

async function startLearner(cluster: EtcdCluster, folder: DataFolder, { c }: Hosts): Promise<EmbeddedEtcd> {
  const others = (await cluster.client().members()).map(({ id, peerUrls }) => ({
    id,
    url: new URL(peerUrls[0] ?? ''),
  }));
  const members = others.map(({ id, url }) => {
    const isOwn = url.hostname === c.address;
    return { name: isOwn ? 'c' : id, address: url.hostname, clientPort: 2379, peerPort: 2380 };
  });
  const tls = await cluster.filesIn(folder);
  return startEtcd({ folder, log: silentLog, name: 'c', members, cluster: 'test', tls, joinsLate: true });
}

describe('a further host gets a vote', () => {
  const [a, w] = [host('a', { site: 'one' }), host('w', { site: 'two' })];
  const further = (name: string, more: Partial<Member> = {}) => host(name, { vote: false, ...more });

  test('only if there are too few votes', () => {
    expect(withOneMoreVote([a, host('b'), w, further('c')], all)).toBeUndefined();
    expect(withOneMoreVote([a, host('b', { left: true }), w], all)).toBeUndefined();
    const given = withOneMoreVote([a, host('b', { left: true }), w, further('c')], all);
    expect(votersOf(given)).toEqual(['a', 'w', 'c']);
    expect(given?.find(({ name }) => name === 'b')).toMatchObject({ left: true });
  });

  test('only if it is alive, and has not left', () => {
    const members = [a, host('b', { left: true }), w, further('c'), further('d', { left: true })];
    expect(withOneMoreVote(members, (name) => name !== 'c')).toBeUndefined();
  });

  test('at a site without a vote if there is one, preferring a near site', () => {
    const [near, far, third] = [
      further('c', { site: 'one' }),
      further('d', { site: 'three', asynchronous: true }),
      further('e', { site: 'three' }),
    ];
    expect(votersOf(withOneMoreVote([a, w, near, far, third], all))).toEqual(['a', 'w', 'e']);
    expect(votersOf(withOneMoreVote([a, w, near, far], all))).toEqual(['a', 'w', 'd']);
    expect(votersOf(withOneMoreVote([a, w, near], all))).toEqual(['a', 'w', 'c']);
  });
});

describe('etcd members follow', () => {
  const keys = haKeys('test');
  let cluster: EtcdCluster;
  let place: TemporaryFolder;
  let folder: DataFolder;
  let etcd: EtcdClient;
  let hosts: Hosts;
  let learner: EmbeddedEtcd | undefined;
  let said = 0;
  let reporting: NodeJS.Timeout;

  beforeAll(async () => {
    cluster = await etcdCluster();
    place = await temporaryFolder();
    folder = await openDataFolder(join(place.path, 'c'), { version: 1 });
    hosts = hostsOf(cluster);
    etcd = cluster.client();
    await etcd.put(keys.leader, '{"host":"a","reign":"r"}');
    await etcd.put(keys.sync, '{"primary":"a","epoch":1,"reign":"r","members":[]}');
    reporting = setInterval(() => {
      said += 1;
      const report = JSON.stringify({ said: String(said), incarnation: 'i', receiving: true, received: 1 });
      for (const name of ['a', 'c']) void etcd.put(keys.report(name), report).catch(() => undefined);
    }, 200);
  });

  afterAll(async () => {
    clearInterval(reporting);
    await learner?.stop();
    await folder?.close();
    await cluster?.remove();
    await place?.remove();
  });

  const list = (...members: readonly Member[]) => etcd.put(keys.members, JSON.stringify(members));
  const people = (...members: readonly Member[]) => new Cluster(etcd, 'test', members);
  const present = () => presentIn(etcd, hosts);

  test('nothing changes without a list, or with a list that already matches', async () => {
    expect(await moveVotes(etcd, keys)).toBeUndefined();
    await list(hosts.a, hosts.b, hosts.w, hosts.c);
    expect(await moveVotes(etcd, keys)).toBeUndefined();
    expect(await present()).toEqual(['a', 'b', 'w']);
  });

  test('the requester is gone at once: a restarted reconciler continues, and no former member is removed before the new one votes', async () => {
    const reconciler = new VoteReconciler(etcd, keys, 'a');
    await list(hosts.a, { ...hosts.b, left: true }, hosts.w, hosts.c);
    // The reconciler of another host does nothing.
    expect(await new VoteReconciler(etcd, keys, 'w').look()).toBeUndefined();
    const looked = () => reconciler.look().catch((error: unknown) => String(error));
    await waitFor('a vote', async () => (await looked())?.includes('gets a vote') === true);
    expect(await present()).toEqual(['a', 'b', 'w']);
    await waitFor('a learner', async () => (await looked().then(present)).includes('c?'));
    // The new member has not started, so the reconciler waits.
    expect(await reconciler.look()).toContain('must run there');
    expect(await present()).toEqual(['a', 'b', 'c?', 'w']);
    const there = [hosts.a, hosts.w, { ...hosts.c, vote: true }];
    expect(await people(...there).status()).toMatchObject({
      hosts: [{ etcd: expect.any(String) }, {}, { etcd: 'SILENT' }],
    });
    learner = await startLearner(cluster, folder, hosts);
    const seen = new Set<string>();
    await waitFor('the former member to be gone', async () => {
      const isDone = (await looked()) === undefined;
      seen.add((await present()).join(' '));
      return isDone;
    });
    expect(await present()).toEqual(['a', 'c', 'w']);
    // Each observed state was one of these. Each needs at most a majority of three among the remaining members.
    for (const each of seen) expect(['a b c? w', 'a b c w', 'a c w']).toContain(each);
    etcd.use(there.map(({ address }) => `https://${address}:2379`));
    const states = (await people(...there).status()).hosts.map((each) => each.etcd);
    expect(states.sort()).toEqual(['ANSWERS', 'ANSWERS', 'LEADS']);
  });

  test('a host that leaves without a replacement is removed, and a repeated request is no error', async () => {
    const c = { ...hosts.c, vote: true };
    await etcd.transact([], [{ delete: keys.switchover }]);
    await people(hosts.a, hosts.w, c).leave('w', [hosts.a, hosts.w, c]);
    expect(await present()).toEqual(['a', 'c']);
    await people(hosts.a, c).leave('w', [hosts.a, hosts.w, c]);
    await expect(people(hosts.a, c).leave('x', [hosts.a, c])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(people(hosts.a, c).leave('a', [hosts.a, c])).rejects.toMatchObject({
      code: 'FIRST',
      message: expect.stringContaining('c have not left'),
    });
  });
});

test('a departing host that is lost is removed first, as etcd accepts no new member while a member is silent', async () => {
  const stack = new AsyncDisposableStack();
  try {
    const cluster = stack.adopt(await etcdCluster(), (each) => each.remove());
    const place = stack.adopt(await temporaryFolder(), (each) => each.remove());
    const folder = stack.adopt(await openDataFolder(join(place.path, 'c'), { version: 1 }), (each) => each.close());
    const [hosts, etcd, keys] = [hostsOf(cluster), cluster.client(), haKeys('test')];
    await cluster.member('b').stop();
    const c = { ...hosts.c, vote: true };
    await etcd.put(keys.members, JSON.stringify([hosts.a, { ...hosts.b, left: true }, hosts.w, c]));
    const step = () => moveVotes(etcd, keys).catch((error: unknown) => String(error));
    await waitFor('a learner', async () => (await step()) !== '' && (await presentIn(etcd, hosts)).includes('c?'));
    expect(await presentIn(etcd, hosts)).toEqual(['a', 'c?', 'w']);
    stack.adopt(await startLearner(cluster, folder, hosts), (each) => each.stop());
    await waitFor('all votes', async () => (await step()) === undefined);
    expect(await presentIn(etcd, hosts)).toEqual(['a', 'c', 'w']);
  } finally {
    await stack.disposeAsync();
  }
});
