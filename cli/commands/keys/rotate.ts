// `tidegate keys rotate FILE`: takes the next step of a rotation. Each run takes one step.
import { basename } from 'node:path';
import { databaseLocations } from '../../../compose/connections.ts';
import { hostsLacking } from '../../../compose/ha-keys.ts';
import { Database } from '../../../platform/database/database.ts';
import { type RotationStep, rotateKeys } from '../../../platform/keys/rotate-keys.ts';
import { configOption, settings } from '../../local-options.ts';
import { several } from '../../option.ts';
import { localVerb } from '../../verb.ts';
import { withFile } from './key-file.ts';

export const rotate = localVerb({
  summary: 'Take the next step of a key rotation: announce a new key, activate it, retire the old one.',
  takes: ['FILE'],
  options: {
    config: configOption,
    without: several('NAME', 'Process that has ended permanently and need not know the key.'),
  },
  async run({ names, options, stdout, stderr, env }) {
    const [path] = names;
    const config = await withFile(async () => settings(options.config, env));
    let db: Database | undefined;
    const database = () => {
      db ??= new Database({ connection: databaseLocations(config), connectionLimit: 1 });
      return db;
    };
    try {
      const step = await withFile(() =>
        rotateKeys({ path, database, without: options.without, hostsLacking: hostsLacking(config) }),
      );
      stdout.write(`${step.step} ${step.step === 'retired' ? step.ids.join(' ') : step.id}\n`);
      stderr.write(`tidegate: ${whatNext(step, basename(path))}\n`);
    } finally {
      await db?.close();
    }
  },
});

function whatNext({ step }: RotationStep, file: string): string {
  const isShared = file === 'subgraphs.keys' || file === 'sealing.keys';
  if (step === 'announced')
    return `copy ${isShared ? file : 'public.keys'} to every host that has it, then run this again to make the key active`;
  if (step === 'retired')
    return `copy ${isShared ? file : `${file} and public.keys`} to the hosts that have it; this is not urgent`;
  return `copy ${file} to every host that has it; no restart is needed`;
}
