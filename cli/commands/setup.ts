// `tidegate setup`: from a hosts file to an archive for each host, in two steps, between which the administrator of the database makes two accounts.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CommandFailure, UsageError } from '../failures.ts';
import { neededText, text } from '../option.ts';
import { finishSetup } from '../setup/finish.ts';
import { readHostsFile } from '../setup/hosts-file.ts';
import { placesIn, writeHosts } from '../setup/write-hosts.ts';
import { localVerb } from '../verb.ts';

export const setup = localVerb({
  summary: 'Make the settings, units, keys and machines of all hosts of an installation from a hosts file.',
  about: [
    'With --hosts it writes a folder for each host, and database.sql with two accounts. Run that in the database.',
    'With --admin it then makes the tables, the machines and the first administrator, and packs an archive for each host.',
  ],
  takes: [],
  examples: ['tidegate setup --hosts hosts.yaml --to installation', 'tidegate setup --to installation --admin alice'],
  page: 'operating.md#the-first-hour',
  options: {
    hosts: text('FILE', 'The first step: YAML with the URL, the database, Redis, and the roles of each host.'),
    to: neededText('DIR', 'The folder that is made. It has keys and passwords: keep it as a secret.'),
    admin: text('NAME', 'The second step: the first administrator, whose password is printed once.'),
  },
  alsoNeeds: (given) => (given.has('hosts') || given.has('admin') ? [] : ['--hosts FILE, or --admin NAME']),
  async run({ options: { hosts, to, admin }, stdout }) {
    if (hosts !== undefined && admin !== undefined)
      throw new UsageError('give --hosts FILE first; then run database.sql, and give --admin NAME');
    if (hosts !== undefined) {
      const given = await readFile(hosts, 'utf8').catch((error: NodeJS.ErrnoException) => {
        throw new CommandFailure(`--hosts: ${hosts} can't be read (${error.code})`);
      });
      const file = readHostsFile(given, hosts);
      await writeHosts(file, hosts, to);
      const names = file.hosts.map(({ name }) => name).join(', ');
      stdout.write(
        `${resolve(to)} has the files of ${names}\nnow run ${placesIn(resolve(to)).sql} in the database, then: tidegate setup --to ${to} --admin NAME\n`,
      );
      return;
    }
    const done = await finishSetup(to, admin ?? '');
    for (const { name, archive, units, joins } of done.hosts) {
      stdout.write(`${name}: tar -xzf ${archive} -C /, then systemctl enable --now ${units.join(' ')}\n`);
      if (joins.length > 0)
        stdout.write(`${name}: joins with a token first (${joins.join(', ')}): docs/operating.md#roles\n`);
    }
    stdout.write(`user ${admin} is created\npassword: ${done.password}\n`);
  },
});
