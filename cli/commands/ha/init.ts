// `tidegate ha init` and `invite`.
import { resolve } from 'node:path';
import { dataVersion } from '../../../compose/places.ts';
import { askerAt, newAct } from '../../../ha/acts.ts';
import { leastLeaseMs, mostLeaseMs } from '../../../ha/agent/limits.ts';
import { begin, invite as inviteOne, refuseBegun } from '../../../ha/host/begin.ts';
import { JoinRefusal } from '../../../ha/host/join-refusal.ts';
import { noteAct } from '../../../ha/host/noted-acts.ts';
import { CommandFailure } from '../../failures.ts';
import { flag, integer, needed, text } from '../../option.ts';
import { printerOf } from '../../printer.ts';
import { commonOptions } from '../../remote-verb.ts';
import { describeFailure } from '../../start-failure.ts';
import { localVerb, type Output } from '../../verb.ts';
import { dataOption, hostFileIn, placeOptions } from './cluster-verb.ts';
import { HostFiles, unitsOption } from './host-files.ts';
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
      least: leastLeaseMs / 1_000,
      most: mostLeaseMs / 1_000,
    }),
    strict: flag('No write is done with one copy: while a data host is away, writes wait for it (set ha.strict, too).'),
    'router-id': integer('N', `Virtual router id (VRRP), unique in the network (${usualRouterId}).`, {
      least: 1,
      most: 255,
    }),
    data: dataOption,
    units: unitsOption,
    'no-install': flag('Install no system packages.'),
    json: commonOptions.json,
  },
  async run({ options, stdout, stderr, signal, env, output }) {
    refuseWithoutRoot();
    if (!options['no-install']) await installPackages(signal);
    const dataPath = resolve(options.data ?? '.tidegate');
    try {
      await refuseBegun(dataPath);
      const { name, address, data, units } = options;
      const files = await HostFiles.plan({ data, units, name, address, kind: 'data', keys: undefined });
      await begin({
        ...{ dataPath, dataVersion, name: options.name, address: options.address, virtualAddress: options.vip },
        ...{ leaseMs: (options.lease ?? usualLeaseSeconds) * 1_000, strict: options.strict },
        ...{ routerId: options['router-id'] ?? usualRouterId, site: options.site },
        install: () => installIn(dataPath, signal, stderr),
        prepare: async (password) => {
          await files.write(password);
          await files.giveKeys();
        },
      });
      await noteAct(dataPath, newAct(askerAt(options.name, env), 'haInit', { address: options.address }));
      const { url, token: ofData } = await inviteOne(dataPath);
      const { token: ofWitness } = await inviteOne(dataPath);
      if (options.json) {
        const tokens = { data: ofData, witness: ofWitness };
        await printerOf({ stdout, env, output }).ndjson({ url, tokens, ...files.paths });
        return;
      }
      const joining = (token: string, more: string) => `  bin/tidegate join ${token} --url ${url} --data DIR ${more}`;
      stdout.write(
        [
          'On this host, as root, and from then on always:',
          ...files.lines(),
          'On the other data host, within 30 minutes, and then the commands that it prints:',
          joining(ofData, '--name b --address IP'),
          'On the witness, within 30 minutes, and then the commands that it prints:',
          joining(ofWitness, '--name w --address IP --witness'),
          'When all three run, stop "tidegate up" here, if it runs: its database is taken over.',
          '',
        ].join('\n'),
      );
    } catch (error) {
      throw refusalOf(error);
    }
  },
});

/** Installs what the first `tidegate up` does: the database with its tables, keys, and the first accounts. */
async function installIn(dataPath: string, signal: AbortSignal, output: Output): Promise<void> {
  const { allInOneConfig, startAllInOne } = await import('../../../compose/all-in-one.ts');
  // Failures are thrown. Standard output is for the verb's own results.
  const config = allInOneConfig({ flags: { 'listen.port': '0', 'log.level': 'silent' } });
  const started = await startAllInOne({ config, dataPath, withLab: false, signal, stdout: output });
  await started.stop();
}

export const invite = localVerb({
  summary: 'Print another token by which a host joins: for one host, once, within 30 minutes.',
  takes: [],
  options: { data: dataOption, json: commonOptions.json },
  async run({ options, stdout, env, output }) {
    const { me } = await hostFileIn(options.data);
    const dataPath = resolve(options.data ?? '.tidegate');
    try {
      const { url, token } = await inviteOne(dataPath);
      await noteAct(dataPath, newAct(askerAt(me, env), 'haInvite', {}));
      const printer = printerOf({ stdout, env, output });
      await (options.json ? printer.ndjson({ url, token }) : printer.line(`bin/tidegate join ${token} --url ${url}`));
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
