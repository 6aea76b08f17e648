// `tidegate doctor`: what is wrong with this host, and what mends it. It changes nothing.

import { findingsOf } from '../doctor/findings.ts';
import { CommandFailure } from '../failures.ts';
import { configOption } from '../local-options.ts';
import { describeFailure } from '../start-failure.ts';
import { localVerb } from '../verb.ts';

export const doctor = localVerb({
  summary: 'Look for what is wrong with this host, and print what mends it.',
  about: [
    'It looks at settings, key files, machines, the database, Redis, clocks, and the process with these settings.',
  ],
  takes: [],
  examples: ['tidegate doctor --config /etc/tidegate/control.yaml'],
  page: 'runbook.md',
  options: { config: configOption },
  alsoNeeds: (given) => (given.has('config') ? [] : ['--config FILE']),
  async run({ options, stdout, env }) {
    const findings = await findingsOf(options.config ?? '', env).catch((error: unknown) => {
      throw describeFailure(error);
    });
    for (const { wrong, mend } of findings) stdout.write(`${wrong}\n  → ${mend}\n`);
    if (findings.length > 0)
      throw new CommandFailure(`${findings.length} ${findings.length === 1 ? 'fault' : 'faults'}`);
    stdout.write('nothing is wrong with this host\n');
  },
});
