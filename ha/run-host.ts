// One host of a cluster: its member of etcd and, where there is data, the agent with the virtual address. It waits until all hosts have
// joined; then the first one's database is taken over, and the others begin with a copy.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DataFolder, openDataFolder } from '../embedded/data-folder.ts';
import type { EtcdTls } from '../embedded/etcd.ts';
import { comeFirst } from '../embedded/priority.ts';
import { startRedis } from '../embedded/redis.ts';
import type { ServiceUser } from '../embedded/service-account.ts';
import { SetupError } from '../embedded/setup-error.ts';
import type { SetupLog } from '../embedded/setup-log.ts';
import { supervise } from '../embedded/supervise.ts';
import { writeWhole } from '../platform/secrets/key-file.ts';
import { Clients } from './address/clients.ts';
import type { DnsAddress, DnsName } from './address/dns-address.ts';
import type { NameServer, NameServerPlan } from './address/name-server.ts';
import { VirtualAddress } from './address/virtual-address.ts';
import { HaAgent } from './agent/agent.ts';
import type { KeyPlaces } from './agent/key-fingerprints.ts';
import { haKeys, setUpReign, syncValue } from './agent/keys.ts';
import { callMsFor } from './agent/limits.ts';
import type { DataHostPlace } from './agent/server.ts';
import type { ApiState } from './agent/view.ts';
import { together } from './announcer.ts';
import { ApiProbe } from './api-probe.ts';
import { BalancedClients } from './balanced-clients.ts';
import { tellClock } from './clock-teller.ts';
import { Cluster } from './cluster.ts';
import { DueRequests } from './due-requests.ts';
import { type EtcdClient, EtcdError } from './etcd.ts';
import { newServed } from './host/begin.ts';
import { certificatesEndOf } from './host/certificate-life.ts';
import { CertificateRenewal } from './host/certificate-renewal.ts';
import { etcdOf, etcdUrlsOf } from './host/cluster-client.ts';
import { depart } from './host/depart.ts';
import { FirstHost } from './host/first-host.ts';
import {
  changeHostFile,
  type HostFile,
  hasLeft,
  isComplete,
  isPresent,
  type Member,
  memberList,
  ports,
  readHostFile,
} from './host/host-file.ts';
import { membersAt, servedAt } from './host/join-client.ts';
import { keyFolderIn } from './host/key-files.ts';
import { hostCommonName, leftSerials, memberWith } from './host/member-certificate.ts';
import { tellNotedActs } from './host/noted-acts.ts';
import { OwnVote } from './host/own-vote.ts';
import { writeRefused } from './host/refused-list.ts';
import { dataHosts, nameServerKeyPath, writeServedFile } from './host/served-file.ts';
import { takeOver } from './host/take-over.ts';
import { VoteReconciler } from './host/votes.ts';
import { PrimaryHealth } from './primary-health.ts';
import { RoleHook } from './role-hook.ts';

interface HostOptions {
  readonly dataPath: string;
  /** Version of the data folder's layout. */
  readonly dataVersion: number;
  /** Network device of the virtual address. Undefined if this host has none. */
  readonly device: string | undefined;
  /** Name at which the primary publishes its address. */
  readonly dnsName: DnsName | undefined;
  /** Name server that the primary runs. Undefined if there is none. */
  readonly nameServer: NameServerPlan | undefined;
  readonly copyBytesPerSecond: number;
  /** The longest time that a backup lock or read lock may stop the primary's commits. */
  readonly longestLockMs: number;
  /** File in which `tidegate serve` notes its process. */
  readonly processFile: string | undefined;
  /** Key folders of `tidegate serve`. */
  readonly keyPlaces: KeyPlaces;
  /** The machine's watchdog device. Undefined if there is none, or if it is not used. */
  readonly watchdogDevice: string | undefined;
  /** After this host was lost as the primary, it returns only if a person requests it. */
  readonly rejoinsByHand: boolean;
  /** Program to run after each change of the role. */
  readonly roleHook: string | undefined;
  /** Redis of this host. Undefined if it has none. */
  readonly redis: { readonly answers: boolean } | undefined;
  /** The socket of the Redis that this host runs. Undefined if it runs none. */
  readonly ownRedisPath: string | undefined;
  readonly log: SetupLog;
  readonly signal: AbortSignal;
}

const lookEveryMs = 500;
/** Poll interval when there is nothing to do. */
const votesEveryMs = 2_000;

/**
 * Resolves at the signal: the database continues, as long as its lease lasts. It also resolves once the host has left; the database has
 * then ended. Throws SetupError, system errors.
 */
export async function runHost(options: HostOptions): Promise<void> {
  const { dataPath, dataVersion, log, signal } = options;
  comeFirst();
  const stack = new AsyncDisposableStack();
  try {
    const file = await readHostFile(dataPath);
    let first: FirstHost | undefined;
    if (file.first !== undefined) {
      first = await FirstHost.open({
        ...{ dataPath, address: memberOf(file).address },
        keyFolder: options.keyPlaces.folder ?? keyFolderIn(dataPath),
      });
      stack.defer(() => first?.close());
    }
    const whole = await complete(options);
    const folder = await openWhenFree(dataPath, dataVersion, log, signal);
    stack.defer(() => folder.close());
    let left = hasLeft(whole) ? whole : undefined;
    stack.defer(async () => {
      if (left === undefined) return;
      await depart(folder, left);
      log.info(`ha: ${left.me} has left the cluster.`);
    });
    left ??= await runParts({ ...options, onRenewed: (renewed) => first?.use(renewed) }, whole, folder, stack);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await stack.disposeAsync();
  }
}

async function complete({ dataPath, log, signal }: HostOptions): Promise<HostFile> {
  let [told, failed] = ['', ''];
  for (;;) {
    const file = await readHostFile(dataPath);
    if (isComplete(file)) return file;
    if (file.firstUrl !== undefined) {
      const members = await membersAt(file).catch((error: unknown) => {
        const failure = `ha: the first host, ${file.firstUrl}, does not list the hosts, and is asked again: ${String(error)}`;
        if (failure !== failed) log.warn(failure);
        failed = failure;
        return file.members;
      });
      if (members.length !== file.members.length) {
        await changeHostFile(dataPath, (now) => ({ ...now, members }));
        continue;
      }
    }
    const names = file.members.map(({ name, kind }) => `${name} (${kind})`).join(', ');
    if (names !== told) log.info(`ha: so far there are ${names}; two data hosts and a witness are needed.`);
    told = names;
    await sleep(lookEveryMs, undefined, { signal });
  }
}

/** On a single machine that is being converted, `tidegate up` holds the lock until it is stopped. */
async function openWhenFree(path: string, version: number, log: SetupLog, signal: AbortSignal): Promise<DataFolder> {
  for (let told = false; ; told = true) {
    try {
      return await openDataFolder(path, { version });
    } catch (error) {
      if (!(error instanceof SetupError) || error.code !== 'DATA_FOLDER_IN_USE') throw error;
      if (!told) log.info(`ha: it continues when that has ended: ${error.message}`);
      await sleep(lookEveryMs, undefined, { signal });
    }
  }
}

interface PartsOptions extends HostOptions {
  /** Called with the new certificates. */
  readonly onRenewed: (file: HostFile) => void;
}

/** What changes while the parts run. */
interface Present extends Pick<HostFile, 'members'> {
  members: HostFile['members'];
  certificatesEndAt: string;
}

/** Resolves with the host file when this host has left. Resolves with undefined when the signal aborts. */
async function runParts(
  options: PartsOptions,
  whole: HostFile,
  folder: DataFolder,
  stack: AsyncDisposableStack,
): Promise<HostFile | undefined> {
  const tls = await writeCertificates(folder, whole);
  let file = await takenOver(options, whole, folder);
  const me = memberOf(file);
  if (me.kind === 'data') {
    file = await withServed(file, options);
    await giveServed(options, file, folder.serviceUser);
  }
  // They start in parallel: after a restart, the agent renews its lease at another host's member before its own one and Redis have started.
  const failed = new AbortController();
  const both = { ...options, signal: AbortSignal.any([options.signal, failed.signal]) };
  const { log, signal } = both;
  const vote = new OwnVote({ folder, cluster: whole.cluster, tls, log, signal });
  stack.defer(() => vote.stop());
  const redis = startOwnRedis(both, folder, stack);
  redis.catch(() => undefined);
  for (;;) {
    await using parts = new AsyncDisposableStack();
    const client = etcdOf(file, callMsFor(file.leaseMs));
    const present: Present = { members: file.members, certificatesEndAt: certificatesEndOf(file).toISOString() };
    parts.defer(() => client.close());
    const starting = [vote.begin(file), startData(both, file, folder, tls, client, present, parts), redis] as const;
    const [, agent] = await Promise.all(starting).catch(async (error: unknown) => {
      failed.abort();
      await Promise.allSettled(starting);
      throw error;
    });
    options.log.info(`ha: ${file.me} runs.`);
    const telling = new AbortController();
    const told = tellNotedActs(client, haKeys(file.cluster), { ...options, signal: telling.signal });
    const kept = agent && keepVotes(client, file, { log, signal: telling.signal }, present);
    const renewal = new CertificateRenewal({
      ...{ dataPath: options.dataPath, etcd: client, keys: haKeys(file.cluster), me: file.me, log: options.log },
      async onRenewed(renewed) {
        await writeCertificates(folder, renewed);
        client.useTls({ ca: renewed.authority, cert: renewed.certificate, key: renewed.key });
        options.onRenewed(renewed);
        present.certificatesEndAt = certificatesEndOf(renewed).toISOString();
        if (me.kind === 'data') await giveServed(options, renewed, folder.serviceUser);
        await agent?.useCertificates({ ca: renewed.authority, cert: renewed.certificate, key: renewed.key });
      },
    });
    const certified = renewal.run(telling.signal);
    parts.defer(async () => {
      telling.abort();
      await Promise.all([told, kept, certified]);
    });
    const change = { user: folder.serviceUser, agent, tls, present, vote };
    const members = await otherMembers(client, file, options, change);
    if (members === undefined) return undefined;
    file = { ...(await readHostFile(options.dataPath)), members };
    if (!isIn(members, me)) {
      await agent?.stop();
      agent?.killServer();
      // Another host in its place may have the same name.
      return { ...file, members: [...members.filter(({ name }) => name !== me.name), { ...me, left: true }] };
    }
    file = await changeHostFile(options.dataPath, (now) => ({ ...now, members }));
    if (me.kind === 'data') await giveServed(options, file, folder.serviceUser);
  }
}

/** A host of an earlier version has no certificate for `tidegate serve`. Until the first host issues one, it uses the host's own certificate. */
async function withServed(file: HostFile, { dataPath, log }: HostOptions): Promise<HostFile> {
  if (file.served !== undefined) return file;
  const { first, authority, me } = file;
  try {
    const served =
      first === undefined ? await servedAt(file) : await newServed(me, { cert: authority, key: first.authorityKey });
    return await changeHostFile(dataPath, (now) => ({ ...now, served }));
  } catch (error) {
    log.warn(
      `ha: "tidegate serve" uses the host's own certificate for etcd until the agent restarts: ${String(error)}`,
    );
    return file;
  }
}

/** Gives `tidegate serve` the information it needs about the hosts. */
async function giveServed(
  { dataPath, nameServer }: HostOptions,
  file: HostFile,
  user: ServiceUser | undefined,
): Promise<void> {
  if (nameServer === undefined) return writeServedFile(dataPath, file, user);
  const { nameServerKey } = await import('./address/name-server.ts');
  await writeServedFile(dataPath, file, user, { port: nameServer.port, key: nameServerKey(file).text });
}

/** It has no unfinished work, so it ends with the agent. */
async function startOwnRedis(
  { ownRedisPath: socketPath, log, signal }: HostOptions,
  folder: DataFolder,
  stack: AsyncDisposableStack,
): Promise<void> {
  if (socketPath === undefined) return;
  const redis = await supervise(
    'Redis',
    (ending) => startRedis({ folder, log, socketPath, signal: AbortSignal.any([signal, ending]) }),
    { log },
  );
  stack.defer(() => redis.stop());
}

interface ChangeDependencies {
  /** User of the servers. */
  readonly user: ServiceUser | undefined;
  readonly agent: HaAgent | undefined;
  readonly tls: EtcdTls;
  /** The current hosts, kept up to date while the parts run. */
  readonly present: { members: HostFile['members'] };
  readonly vote: OwnVote;
}

const noSync = { primary: undefined, members: [] };

/** Resolves when this host has left, or when another host took the place of one that left. Resolves with undefined when the signal aborts. */
async function otherMembers(
  etcd: EtcdClient,
  file: HostFile,
  options: HostOptions,
  { user, agent, tls, present, vote }: ChangeDependencies,
): Promise<HostFile['members'] | undefined> {
  const { dataPath, signal } = options;
  const keys = haKeys(file.cluster);
  let known = JSON.stringify(file.members);
  while (!signal.aborted) {
    const [text, sync] = await Promise.all([etcd.get(keys.members), etcd.get(keys.sync)]).then(
      (both) => both.map(({ entries }) => entries[0]?.value),
      () => [],
    );
    if (text !== undefined && text !== known) {
      const members = memberList.parse(JSON.parse(text));
      const isNew = members.some(({ serverId }) => !file.members.some((each) => each.serverId === serverId));
      const { primary, members: inSync } = sync === undefined ? noSync : syncValue.parse(JSON.parse(sync));
      // Until then this host may be the one with every write, or may be promoted as the host that had them.
      const counted = [primary, ...inSync.map(({ host }) => host)];
      const isLast = members.every(({ left }) => left === true);
      const isCountedOn = !isLast && counted.includes(file.me);
      const isOut = !isIn(members, memberOf(file));
      if (isOut ? !isCountedOn : isNew) return members;
      const gone = members.filter(({ left }) => left === true);
      // While commits wait for a leaving host, it still has to acknowledge them.
      const isOver = gone.every(({ name }) => !counted.includes(name));
      if (!isOut && isOver) {
        present.members = members;
        agent?.refuseReplicas(gone.map(({ serverId }) => serverId));
        await writeRefused(tls, leftSerials(members), user);
        const changed = await changeHostFile(dataPath, (now) => ({ ...now, members }));
        if (memberOf(changed).kind === 'data') await giveServed(options, changed, user);
        etcd.use(etcdUrlsOf(changed));
        await vote.begin(changed);
        known = text;
      }
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

/** Another host in its place may have the same name. */
function isIn(members: HostFile['members'], { name, serverId }: Member): boolean {
  return members.some((each) => each.name === name && each.serverId === serverId && isPresent(each));
}

/** The votes, and requests whose time has come. Runs until the signal aborts. */
async function keepVotes(
  etcd: EtcdClient,
  { cluster, me }: HostFile,
  { log, signal }: Pick<HostOptions, 'log' | 'signal'>,
  present: Pick<HostFile, 'members'>,
): Promise<void> {
  const keys = haKeys(cluster);
  const votes = new VoteReconciler(etcd, keys, me);
  const due = new DueRequests({
    ...{ etcd, keys, me },
    cluster: () => new Cluster(etcd, cluster, present.members.filter(isPresent)),
  });
  const look = (part: { look(): Promise<string | undefined> }, what: string) =>
    part.look().catch((error: unknown) => {
      if (!(error instanceof EtcdError)) log.warn(`ha: ${what} are looked after again: ${String(error)}`);
      return undefined;
    });
  for (let told = ''; !signal.aborted; ) {
    const begun = await look(due, 'timed requests');
    if (begun !== undefined) log.info(`ha: ${begun}`);
    const done = await look(votes, 'the votes');
    if (done !== undefined && done !== told) log.info(`ha: ${done}`);
    told = done ?? '';
    await sleep(done === undefined ? votesEveryMs : lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

async function startData(
  options: HostOptions,
  file: HostFile,
  folder: DataFolder,
  tls: EtcdTls,
  etcd: EtcdClient,
  present: Present,
  stack: AsyncDisposableStack,
): Promise<HaAgent | undefined> {
  const { log, signal } = options;
  const me = memberOf(file);
  if (me.kind === 'witness') {
    const telling = new AbortController();
    const told = tellClock(etcd, haKeys(file.cluster).clock(me.name), telling.signal, () => present.certificatesEndAt);
    stack.defer(async () => {
      telling.abort();
      await told;
    });
    return undefined;
  }
  const epoch = file.first?.takenOver?.epoch;
  if (epoch !== undefined) await setUp(etcd, file, epoch, signal);
  const api = options.processFile === undefined ? undefined : new ApiProbe(options.processFile);
  stack.defer(() => api?.close());
  const apiState = () => api?.state;
  const health = await PrimaryHealth.open({ address: me.address, port: ports.health, apiState });
  stack.defer(() => health.close());
  const named = await dnsAddress(options, file, stack);
  const answering = await nameServer(options, { file, folder, present }, stack);
  const addressed = await virtualAddress(options, file, folder, stack);
  const announcers = [health, ...named, ...answering, ...addressed, ...roleHook(options, file, stack)];
  const clients = clientsOf(options, file, health, apiState);
  const data = file.members.filter(({ kind }) => kind === 'data');
  const agent = await HaAgent.start({
    ...{ folder, log, etcd, me: me.name, cluster: file.cluster, leaseMs: file.leaseMs },
    ...{ strict: file.strict, mayRoute: true, rejoinsByHand: options.rejoinsByHand },
    ...{ watchdogDevice: options.watchdogDevice, longestLockMs: options.longestLockMs },
    asynchronous: data.filter(({ asynchronous }) => asynchronous === true).map(({ name }) => name),
    sites: Object.fromEntries(data.map(({ name, site = '' }) => [name, site])),
    hosts: Object.fromEntries(data.map((each) => [each.name, placeOf(each)])),
    ...{ accounts: file.accounts, tls, announcer: together(announcers) },
    ...{ keyPlaces: options.keyPlaces, redisAnswers: () => options.redis?.answers, apiState, clients },
    certificatesEndAt: () => present.certificatesEndAt,
    copies: {
      tls: { ca: file.authority, cert: file.certificate, key: file.key },
      ports: Object.fromEntries(data.map(({ name }) => [name, ports.copies])),
      mostBytesPerSecond: options.copyBytesPerSecond,
      mayAsk: (certificate) => memberWith(certificate, present.members)?.kind === 'data',
    },
  });
  stack.defer(() => agent.stop());
  return agent;
}

function roleHook({ roleHook: program, log }: HostOptions, { me }: HostFile, stack: AsyncDisposableStack): RoleHook[] {
  if (program === undefined) return [];
  const made = new RoleHook({ program, me, log });
  stack.defer(() => made.close());
  return [made];
}

async function virtualAddress(
  { device, log }: HostOptions,
  file: HostFile,
  folder: DataFolder,
  stack: AsyncDisposableStack,
): Promise<VirtualAddress[]> {
  if (device === undefined || file.virtualAddress === undefined) return [];
  const me = memberOf(file);
  const peers = file.members.filter(({ kind, name }) => kind === 'data' && name !== me.name);
  const made = await VirtualAddress.open({
    ...{ me: me.name, address: file.virtualAddress, device, source: me.address, routerId: file.routerId, log },
    ...{ peers: peers.map(({ address }) => address), folder: await folder.subfolder(join('ha', 'address')) },
  });
  stack.defer(() => made.close());
  return [made];
}

/** It is loaded only if needed, because a restarted agent has to be quick. */
async function dnsAddress(
  { dnsName, log }: HostOptions,
  { cluster, me }: HostFile,
  stack: AsyncDisposableStack,
): Promise<DnsAddress[]> {
  if (dnsName === undefined) return [];
  const { DnsAddress } = await import('./address/dns-address.ts');
  const made = new DnsAddress({ ...dnsName, cluster, me, log });
  stack.defer(() => made.close());
  return [made];
}

/** It is loaded only if needed, like the address by name. */
async function nameServer(
  { dataPath, nameServer: plan, log }: HostOptions,
  { file, folder, present }: { file: HostFile; folder: DataFolder; present: Pick<HostFile, 'members'> },
  stack: AsyncDisposableStack,
): Promise<NameServer[]> {
  if (plan === undefined) return [];
  const { NameServer, nameServerKey } = await import('./address/name-server.ts');
  const [virtual] = file.virtualAddress?.split('/') ?? [];
  const made = await NameServer.open({
    ...{ ...plan, folder, log, addresses: [memberOf(file).address, ...(virtual === undefined ? [] : [virtual])] },
    publishers: () => dataHosts(present).map(({ address }) => address),
    key: { secret: nameServerKey(file).secret, keyFile: nameServerKeyPath(dataPath) },
  });
  stack.defer(() => made.close());
  return [made];
}

function clientsOf(
  { device, processFile, log }: HostOptions,
  { virtualAddress }: HostFile,
  health: PrimaryHealth,
  apiState: () => ApiState,
): Clients | BalancedClients {
  if (device === undefined || virtualAddress === undefined) return new BalancedClients({ health, processFile });
  const [address = ''] = virtualAddress.split('/');
  return new Clients({ address, processFile, apiState, log });
}

/** Called before the first start of etcd, when nothing of the cluster exists yet. */
async function takenOver(
  { dataPath, log, signal }: HostOptions,
  file: HostFile,
  folder: DataFolder,
): Promise<HostFile> {
  if (file.first === undefined || file.first.takenOver !== undefined) return file;
  const epoch = await takeOver({ folder, log, signal, isThere: file.first.hasDatabase });
  const { first } = file;
  return changeHostFile(dataPath, (now) => ({ ...now, first: { ...first, ...now.first, takenOver: { epoch } } }));
}

/** Sets the first primary, once. */
async function setUp(client: EtcdClient, { me, cluster }: HostFile, epoch: number, signal: AbortSignal): Promise<void> {
  const key = haKeys(cluster).sync;
  const value = JSON.stringify({ primary: me, epoch, reign: setUpReign, members: [] });
  for (;;) {
    try {
      await client.transact([{ key, revision: 0 }], [{ put: key, value }]);
      return;
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      await sleep(lookEveryMs, undefined, { signal });
    }
  }
}

/** Readable by the servers' user. */
async function writeCertificates(
  folder: DataFolder,
  { authority, certificate, key, members }: HostFile,
): Promise<EtcdTls> {
  const place = await folder.subfolder('certificates', { forService: true });
  const files = {
    caFile: join(place, 'ca.pem'),
    certificateFile: join(place, 'host.pem'),
    keyFile: join(place, 'host.key'),
    refusedFile: join(place, 'refused.pem'),
  };
  const user = folder.serviceUser;
  for (const [path, text] of [
    [files.caFile, authority],
    [files.certificateFile, certificate],
    [files.keyFile, key],
  ] as const) {
    // etcd reads them at each connection.
    await writeWhole(path, text, 0o600, user);
  }
  await writeRefused(files, leftSerials(members), user);
  return files;
}

function placeOf({ address, serverId, name, keySha256, left }: Member): DataHostPlace {
  // Certificates of an earlier version have the host's name alone.
  const commonName = keySha256 === undefined ? name : hostCommonName({ name, serverId });
  return { address, port: ports.mariadb, serverId, commonName, hasLeft: left === true };
}

export function memberOf({ me, members }: Pick<HostFile, 'me' | 'members'>): Member {
  const found = members.find(({ name }) => name === me);
  if (found === undefined) throw new Error(`the host file does not list ${me} itself`);
  return found;
}
