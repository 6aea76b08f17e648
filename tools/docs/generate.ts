// Writes the generated pages of docs/: the settings, the kinds of status events, the trials, and parts of the relay's, the load balancers' and the clients'. `npm run check`
// compares them with the files.
import { writeFileSync } from 'node:fs';
import { describeSettings } from '../../platform/process/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { checkClientPage } from './check-client-page.ts';
import { eventsPage } from './events-page.ts';
import { loadBalancerPage } from './loadbalancer-page.ts';
import { relayPage } from './relay-page.ts';
import { trialsPage } from './trials-page.ts';

const settingsFile = new URL('../../docs/settings.md', import.meta.url);

/** The page of all settings. */
export function settingsPage(): string {
  const rows = describeSettings(subgraphRows).map(
    ({ name, variable, default: standard, meaning }) =>
      `| \`${name}\` | \`${variable}\` | ${standard === '' ? '' : `\`${standard}\``} | ${meaning} |`,
  );
  return [
    '# Settings',
    '',
    'Made from `platform/process/config.ts` and the rows of the subgraphs by `npm run generate:docs`.',
    '',
    'A setting is given on the command line (`--set name=value`), in the environment, or in a YAML or JSON file (`--config FILE`), in which each dot',
    'of its name is a level. The command line takes precedence over the environment, and the environment over the file.',
    '',
    '| setting | environment | default | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
    'Beside them a file may have `urls`, `sdl`, `caFile`, `deadlineMs` and `oneAtATime` at `subgraphs.NAME`, for subgraphs that another team runs:',
    '[extending.md](extending.md).',
    '',
  ].join('\n');
}

if (import.meta.main) {
  writeFileSync(settingsFile, settingsPage());
  writeFileSync(new URL('../../docs/events.md', import.meta.url), eventsPage(subgraphRows));
  writeFileSync(new URL('../../docs/check-client.md', import.meta.url), checkClientPage());
  writeFileSync(new URL('../../docs/relay.md', import.meta.url), relayPage());
  writeFileSync(new URL('../../docs/loadbalancer.md', import.meta.url), loadBalancerPage());
  writeFileSync(new URL('../../docs/trials.md', import.meta.url), trialsPage());
}
