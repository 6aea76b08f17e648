// The made parts of docs/relay.md: which drivers there are, and the worked example, whose file is compiled and tested.
import { readFileSync } from 'node:fs';
import { defaultSettings } from '../../subgraphs/relay/control/settings.ts';
import type { Driver } from '../../subgraphs/relay/drivers/driver.ts';
import { drivers } from '../../subgraphs/relay/drivers/registry.ts';
import { withMade } from './made-sections.ts';

const page = new URL('../../docs/relay.md', import.meta.url);
const example = new URL('../../docs/examples/acme-meter.ts', import.meta.url);

export function relayPage(): string {
  const withTable = withMade(readFileSync(page, 'utf8'), 'drivers', table(), 'docs/relay.md');
  return withMade(withTable, 'example', `\`\`\`ts\n${exampleCode()}\`\`\``, 'docs/relay.md');
}

function table(): string {
  const rows = [...drivers.values()].map((driver) => {
    const columns = [
      `\`${driver.name}\``,
      driver.family,
      driver.summary,
      wires(driver),
      driver.versions,
      actsFor(driver),
      driver.triedAgainst,
      Object.keys(driver.typed)
        .map((name) => `\`${name}\``)
        .join(', '),
    ];
    return `| ${columns.join(' | ')} |`;
  });
  return [
    '| driver | family | what | wires | written for | may act for | tried against | typed mutations |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function wires({ ports }: Driver): string {
  return Object.entries(ports)
    .map(([kind, port]) => `${kind} (${port})`)
    .join(', ');
}

/** Its operations' deadlines in seconds, the usual one first. The setting's default if a driver gives none. */
function actsFor(driver: Driver): string {
  const usual = driver.actsForMs ?? defaultSettings.deviceGraceMs;
  const others = [...driver.operations.values()].filter(({ actsForMs = usual }) => actsForMs !== usual);
  const named = others.map(({ name, actsForMs = 0 }) => `; \`${name}\` ${actsForMs / 1_000} s`);
  return `${usual / 1_000} s${named.join('')}`;
}

/** The example in the format of the other drivers. */
function exampleCode(): string {
  const [, ...lines] = readFileSync(example, 'utf8').split('\n');
  return lines.join('\n').replaceAll('../../subgraphs/relay/drivers/', './');
}
