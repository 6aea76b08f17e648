// `tidegate ha init` and `invite`.
import { resolve } from 'node:path';
import { askerAt, newAct } from '../../../ha/acts.ts';
import { begin, invite as inviteOne } from '../../../ha/host/begin.ts';
import { JoinRefusal } from '../../../ha/host/join-refusal.ts';
import { noteAct } from '../../../ha/host/noted-acts.ts';
import { CommandFailure } from '../../cli/failures.ts';
import { flag, integer, needed, text } from '../../cli/option.ts';
import { commonOptions } from '../../cli/remote-verb.ts';
import { describeFailure } from '../../cli/start-failure.ts';
import { localVerb } from '../../cli/verb.ts';
import { dataVersion } from '../../compose/places.ts';
import { dataOption, hostFileIn, placeOptions } from './cluster-verb.ts';
import { installPackages } from './packages.ts';

const usualLeaseSeconds = 3;
const usualRouterId = 51;

export const init = localVerb({
  summary:
    'Begin a cluster of two data hosts and a witness with the data folder of this machine, and print how the others join.',
  takes: [],
  options: {
    name: needed(placeOptions.name),
    address: needed(placeOptions.address),
    site: placeOptions.site,
    vip: text(
      'IP/LENGTH',
      'Address that is always at the primary; without it, balancers ask each host for /health/primary.',
    ),
    lease: integer('SECONDS', `How long a lost primary counts as alive (${usualLeaseSeconds}).`, {
      least: 2,
      most: 5,
    }),
    strict: flag('No write is done with one copy: while a data host is away, writes wait for it (set ha.strict, too).'),
    'router-id': integer('N', `Virtual router id (VRRP), unique in the network (${usualRouterId}).`, {
      least: 1,
      most: 255,
    }),
    data: dataOption,
    'no-install': flag('Install no system packages.'),
    json: commonOptions.json,
  },
  async run({ options, stdout, signal, env }) {
    refuseWithoutRoot();
    if (!options['no-install']) await installPackages(signal);
    const dataPath = resolve(options.data ?? '.tidegate');
    try {
      await begin({
        ...{ dataPath, dataVersion, name: options.name, address: options.address, virtualAddress: options.vip },
        ...{ leaseMs: (options.lease ?? usualLeaseSeconds) * 1_000, strict: options.strict },
        ...{ routerId: options['router-id'] ?? usualRouterId, site: options.site },
      });
      await noteAct(dataPath, newAct(askerAt(options.name, env), 'haInit', { address: options.address }));
      const { url, token: ofData } = await inviteOne(dataPath);
      const { token: ofWitness } = await inviteOne(dataPath);
      if (options.json) {
        stdout.write(`${JSON.stringify({ url, tokens: { data: ofData, witness: ofWitness } })}\n`);
        return;
      }
      const agent = 'bin/tidegate ha agent --data DIR';
      const joining = (token: string, more: string) => `  bin/tidegate join ${token} --url ${url} --data DIR ${more}`;
      stdout.write(
        [
          'On this host, as root, and from then on always (docs/ha.md has a unit):',
          `  bin/tidegate ha agent --data ${dataPath}`,
          'On the other data host, within 30 minutes, and then its agent:',
          joining(ofData, '--name b --address IP'),
          `  ${agent}`,
          'On the witness, within 30 minutes, and then its agent:',
          joining(ofWitness, '--name w --address IP --witness'),
          `  ${agent}`,
          'When all three run, stop "tidegate up" here: its database is taken over.',
          '',
        ].join('\n'),
      );
    } catch (error) {
      throw refusalOf(error);
    }
  },
});

export const invite = localVerb({
  summary: 'Print another token by which a host joins: for one host, once, within 30 minutes.',
  takes: [],
  options: { data: dataOption, json: commonOptions.json },
  async run({ options, stdout, env }) {
    const { me } = await hostFileIn(options.data);
    const dataPath = resolve(options.data ?? '.tidegate');
    try {
      const { url, token } = await inviteOne(dataPath);
      await noteAct(dataPath, newAct(askerAt(me, env), 'haInvite', {}));
      stdout.write(options.json ? `${JSON.stringify({ url, token })}\n` : `bin/tidegate join ${token} --url ${url}\n`);
    } catch (error) {
      throw refusalOf(error);
    }
  },
});

export function refusalOf(error: unknown): unknown {
  return error instanceof JoinRefusal ? new CommandFailure(`${error.code}: ${error.message}`) : describeFailure(error);
}

export function refuseWithoutRoot(): void {
  if (process.getuid?.() !== 0)
    throw new CommandFailure('only root can do this: a host of a cluster changes routes and addresses');
}
