// Act 3: a name whose answer leaves out a dead site.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../failures.ts';
import { askHosts } from '../../lab-client.ts';
import type { Act, Place } from '../act.ts';
import { addressesOf } from '../lab-parts.ts';
import { addressesAt } from '../names.ts';

const flavorsDocument = graphql(`
  query DemoFlavors { gslbFlavors { nodes { id name } } }
`);
const createDocument = graphql(`
  mutation DemoNameCreate($input: GslbCreateInput!) {
    gslbCreate(input: $input) { gslb { id pools { id monitors { id } } } userErrors { code message field } }
  }
`);
const deleteDocument = graphql(`
  mutation DemoNameDelete($input: GslbDeleteInput!) {
    gslbDelete(input: $input) { userErrors { code message field } }
  }
`);
const poolDocument = graphql(`
  mutation DemoPoolDelete($input: GslbPoolDeleteInput!) {
    gslbPoolDelete(input: $input) { userErrors { code message field } }
  }
`);
const monitorDocument = graphql(`
  mutation DemoMonitorDelete($input: GslbMonitorDeleteInput!) {
    gslbMonitorDelete(input: $input) { userErrors { code message field } }
  }
`);
const historyDocument = graphql(`
  query DemoHistory($gslbId: ID!) {
    gslbHistory(gslbId: $gslbId, first: 20) {
      nodes { verdictAfter member { name } ballots { vantagePointName verdict count } }
    }
  }
`);

const sites = ['eu', 'us', 'ap'] as const;
const dead = 'eu';
const check = { intervalMs: 1_000, timeoutMs: 1_000, fall: 2, rise: 1 };
/** A pool is deleted once the engine has let go of its name. */
const releaseMs = 60_000;
const pauseMs = 500;

export const nameAct: Act = {
  number: 3,
  title: 'a name that leaves a dead site',
  part: 'sites',
  needsRoot: undefined,
  takes: 'a quarter of a minute',
  async play(place) {
    const { stage, client, data, run, project } = place;
    const at = await addressesOf(data, 'sites');
    const fqdn = `demo-${run}.gslb.lab.test`;
    const { gslbFlavors } = await client.query(flavorsDocument, {});
    const flavorId = gslbFlavors?.nodes.find((flavor) => flavor.name === 'lab')?.id;
    if (flavorId === undefined) throw new CommandFailure('there is no flavor lab: bin/tidegate lab add sites makes it');
    const label = `demo-${run}`;
    const members = sites.map((site) => ({
      ...{ name: site, addresses: [at(site.toUpperCase())], servicePort: Number(at('WEB_PORT')) },
    }));
    const monitor = { name: label, checkType: 'HTTP' as const, parameters: { http: { path: '/health' } }, ...check };
    const failback = { mode: 'DELAYED' as const, delayMs: 1_000 };
    const input = {
      projectId: project?.id,
      fqdn,
      flavorId,
      ttlSeconds: 5,
      cmpObject: { type: 'demo', externalId: run },
    };
    const pools = [{ name: label, failback, members, monitors: [monitor] }];
    const made = await stage.step(
      `gslbCreate ${fqdn}: one pool with a web server in ${sites.join(', ')}, checked each second from all three sites`,
      () => client.mutate(createDocument, { idempotencyKey: randomUUID(), ...input, pools }),
      () => 'created',
    );
    const gslb = made.gslb;
    if (gslb === null) throw new CommandFailure('the server gave no name');
    stage.undo(`gslbDelete ${fqdn}`, () => remove(place, gslb));

    const servers = [at('NS1'), at('NS2')];
    const answers = (names: readonly string[]) => async () => {
      const wanted = names
        .map((site) => at(site.toUpperCase()))
        .sort()
        .join(' ');
      const seen = await Promise.all(servers.map((server) => addressesAt(server, at('DNS_PORT'), fqdn)));
      return seen.every((addresses) => addresses.join(' ') === wanted) && wanted;
    };
    const others = sites.filter((site) => site !== dead);
    await stage.step(
      'both name servers answer with all sites',
      () => stage.until('the name', answers(sites)),
      (said) => said,
    );
    stage.undo(`bin/tidegate lab plug ${dead}-web`, () => act(place, 'plug').catch(() => undefined));
    await stage.step(
      `bin/tidegate lab kill ${dead}-web`,
      () => act(place, 'kill'),
      () => `the web server of ${dead} is dead`,
    );
    await stage.step(
      `both name servers leave ${dead} out`,
      () => stage.until('a new answer', answers(others)),
      (said) => said,
    );
    await stage.step(
      'the votes for it',
      () =>
        stage.until('the verdict in the history', async () => {
          const { gslbHistory } = await client.query(historyDocument, { gslbId: gslb.id });
          return gslbHistory?.nodes.find((flip) => flip.member?.name === dead && flip.verdictAfter === 'DOWN');
        }),
      ({ ballots }) => {
        const down = ballots.filter(({ verdict, count }) => verdict === 'DOWN' && count === 'COUNTED');
        return `${down.length} of ${ballots.length} vantage points say DOWN: ${down.map((each) => each.vantagePointName).join(', ')}`;
      },
    );
    await stage.step(
      `bin/tidegate lab plug ${dead}-web`,
      () => act(place, 'plug'),
      () => 'it is back',
    );
    await stage.step(
      'and so is the answer',
      () => stage.until('the old answer', answers(sites)),
      (said) => said,
    );
  },
  yours: [
    'bin/tidegate lab add sites',
    'bin/tidegate gslbs list',
    'bin/tidegate gslbs explain NAME',
    'bin/tidegate lab kill eu-web',
    'bin/tidegate gslbs history NAME',
    'bin/tidegate lab plug eu-web',
  ],
};

async function act({ data }: Place, what: 'plug' | 'kill'): Promise<void> {
  await askHosts(data, { do: what, host: `${dead}-web` }, new AbortController().signal);
}

interface Made {
  readonly id: string;
  readonly pools: readonly { readonly id: string; readonly monitors: readonly { readonly id: string }[] }[];
}

async function remove({ cleaner }: Place, { id, pools }: Made): Promise<void> {
  await cleaner.mutate(deleteDocument, { idempotencyKey: randomUUID(), id });
  const endsAtMs = performance.now() + releaseMs;
  const free = async (work: () => Promise<{ readonly userErrors: readonly { readonly message: string }[] }>) => {
    for (;;) {
      const [refused] = (await work()).userErrors;
      if (refused === undefined) return;
      if (performance.now() > endsAtMs) throw new CommandFailure(refused.message);
      await sleep(pauseMs);
    }
  };
  for (const pool of pools) {
    await free(() => cleaner.tryMutate(poolDocument, { idempotencyKey: randomUUID(), id: pool.id }));
    for (const each of pool.monitors)
      await free(() => cleaner.tryMutate(monitorDocument, { idempotencyKey: randomUUID(), id: each.id }));
  }
}
