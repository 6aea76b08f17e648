// The output of a complete start: the link, the file of the password, and the running parts with their places.
import { resolve } from 'node:path';
import type { DeviceRow } from '../lab/control-plane/lab.ts';
import { labLines } from '../lab/control-plane/lines.ts';

export interface StartedParts {
  /** URL of the gateway. */
  readonly url: string;
  /** Logs the person in once. Undefined if there is none for this output. */
  readonly loginCode: string | undefined;
  readonly passwordFile: string;
  readonly tokenFile: string;
  readonly dataPath: string;
  readonly logPath: string | undefined;
  readonly roles: readonly string[];
  /** Sockets of the private servers. */
  readonly mariadb: string;
  readonly redis: string;
  /** Undefined if the lab is off. */
  readonly lab: readonly DeviceRow[] | undefined;
}

const standardDataPath = '.tidegate';

/** Browsers do not send a fragment to the server, so it appears in no log. */
function linkWith(url: string, loginCode: string | undefined): string {
  return loginCode === undefined ? `${url}/` : `${url}/#code=${loginCode}`;
}

export function describeStart(parts: StartedParts): string {
  const { url, loginCode, passwordFile, tokenFile, dataPath, logPath, roles, mariadb, redis, lab } = parts;
  const once = loginCode === undefined ? [] : ['             (it logs you in once, within ten minutes)'];
  const rows = [
    ['Login', `user admin, password in ${passwordFile}`],
    ['API token', tokenFile],
    ['GraphQL', `${url}/graphql`],
    ['GraphiQL', `${url}/graphiql`],
    ['Metrics', `${url}/metrics`],
    ['Health', `${url}/health/ready`],
    ['Runs', `MariaDB and Redis of its own, ${roles.join(', ')}`],
    ...labLines(lab, dataPath).map((line, index) => [index === 0 ? 'Lab' : '', line]),
    ['Data', dataPath],
    ['MariaDB', mariadb],
    ['Redis', redis],
    ...(logPath === undefined ? [] : [['Log', logPath]]),
  ];
  // The folder contains the address, too.
  const where = dataPath === resolve(standardDataPath) ? '' : ` --data ${dataPath}`;
  const tries = [
    ...(lab === undefined ? [] : [`bin/tidegate demo${where}`]),
    `bin/tidegate backends list${where}`,
    `bin/tidegate events follow${where}`,
  ];
  return [
    '',
    'Tidegate is ready.',
    '',
    `  ${'Dashboard'.padEnd(12)}${linkWith(url, loginCode)}`,
    ...once,
    ...rows.map(([name = '', value]) => `  ${name.padEnd(12)}${value}`),
    '',
    'Try these commands in another terminal:',
    ...tries.map((line) => `  ${line}`),
    '',
    'Ctrl-C stops everything.',
    '',
  ].join('\n');
}
