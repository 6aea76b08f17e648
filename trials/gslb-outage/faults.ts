// The faults, and the time until another process does the work. A fault is over when its end has been called.
import { killQuietly } from '../../embedded/server-process.ts';
import type { Random } from '../random.ts';
import type { Part, Site } from './site.ts';
import { whenDone } from './takeover.ts';

interface Place {
  readonly site: Site;
  readonly random: Random;
  /** The time from a kill until another process checked, judged or served in its place. */
  readonly tookOver: (ms: number) => void;
}

/** Starts it. Returns a function that ends it. */
export type Fault = (place: Place) => Promise<() => Promise<void>>;

type Group = 'checkers' | 'conductors' | 'workers' | 'nameServers';

const some = ({ site, random }: Place, group: Group): Part => random.pick(site[group]);

/** While it is down, a name server's missing answers are not a fault. */
async function killed(place: Place, group: Group, parts: readonly Part[]): Promise<() => Promise<void>> {
  const { site, tookOver } = place;
  for (const { name } of parts) site.outside.expect(name, false);
  await Promise.all(parts.map(({ child }) => child.kill()));
  const [first] = parts;
  const taken = first === undefined ? undefined : whenDone(site, group, first);
  return async () => {
    const tookMs = await taken;
    if (tookMs !== undefined) tookOver(tookMs);
    for (const part of parts) await part.start();
    for (const { name } of parts) site.outside.expect(name, true);
  };
}

async function stopped({ site, tookOver }: Place, group: Group, part: Part): Promise<() => Promise<void>> {
  site.outside.expect(part.name, false);
  part.child.signal('SIGSTOP');
  const taken = whenDone(site, group, part);
  return async () => {
    const tookMs = await taken;
    if (tookMs !== undefined) tookOver(tookMs);
    part.child.signal('SIGCONT');
    site.outside.expect(part.name, true);
  };
}

async function cut(part: Part): Promise<() => Promise<void>> {
  part.way?.cut(true);
  return async () => part.way?.cut(false);
}

async function serverKilled(server: Site['mariadb'] | Site['redis']): Promise<() => Promise<void>> {
  await server.kill();
  return () => server.start();
}

async function pidStopped(pid: number): Promise<() => Promise<void>> {
  killQuietly(pid, 'SIGSTOP');
  return async () => killQuietly(pid, 'SIGCONT');
}

async function powerdns({ site }: Place, begin: () => Promise<() => Promise<void>>): Promise<() => Promise<void>> {
  site.outside.expect(site.powerdnsName, false);
  const end = await begin();
  return async () => {
    await end();
    site.outside.expect(site.powerdnsName, true);
  };
}

/** Its clients wait for it. */
async function gateway({ site }: Place, signal: 'SIGKILL' | 'SIGSTOP'): Promise<() => Promise<void>> {
  const part = site.gateway;
  if (part === undefined) return async () => undefined;
  if (signal === 'SIGKILL') await part.child.kill();
  else part.child.signal(signal);
  return async () => {
    if (signal === 'SIGKILL') await part.start();
    else part.child.signal('SIGCONT');
  };
}

export const faults: Readonly<Record<string, Fault>> = {
  none: async () => async () => undefined,
  checkerKilled: (place) => killed(place, 'checkers', [some(place, 'checkers')]),
  checkerStopped: (place) => stopped(place, 'checkers', some(place, 'checkers')),
  checkerCut: (place) => cut(some(place, 'checkers')),
  conductorKilled: (place) => killed(place, 'conductors', [some(place, 'conductors')]),
  conductorStopped: (place) => stopped(place, 'conductors', some(place, 'conductors')),
  workerKilled: (place) => killed(place, 'workers', [some(place, 'workers')]),
  workerStopped: (place) => stopped(place, 'workers', some(place, 'workers')),
  gatewayKilled: (place) => gateway(place, 'SIGKILL'),
  gatewayStopped: (place) => gateway(place, 'SIGSTOP'),
  mariadbKilled: ({ site }) => serverKilled(site.mariadb),
  mariadbStopped: ({ site }) => pidStopped(site.mariadb.running.pid),
  redisKilled: ({ site }) => serverKilled(site.redis),
  redisStopped: ({ site }) => pidStopped(site.redis.running.pid),
  nameServerKilled: (place) => killed(place, 'nameServers', [some(place, 'nameServers')]),
  nameServerStopped: (place) => stopped(place, 'nameServers', some(place, 'nameServers')),
  nameServerCut: (place) => cut(some(place, 'nameServers')),
  allButOneNameServerKilled: (place) =>
    killed(place, 'nameServers', place.random.shuffle(place.site.nameServers).slice(1)),
  powerdnsKilled: (place) =>
    powerdns(place, async () => {
      await place.site.powerdns.kill();
      return () => place.site.powerdns.start();
    }),
  powerdnsStopped: (place) => powerdns(place, () => pidStopped(place.site.powerdns.pid)),
};
