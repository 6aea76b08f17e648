// The top-level folders with TypeScript, and the checks of the source tree that leave a folder out, each with the reason.

/** Names of checks that may leave folders out. */
type FolderCheck = 'boundaries' | 'clock' | 'connections' | 'exports' | 'tables';

interface TopFolder {
  /** Reason why a check excludes the folder. */
  readonly excused: Readonly<Partial<Record<FolderCheck, string>>>;
}

const neverForUsers = 'it never connects on behalf of a user';
const ofTheTests = 'it uses whatever it tries';
const trial: TopFolder = {
  excused: {
    ...{ boundaries: ofTheTests, clock: 'it measures and compares real times', connections: neverForUsers },
    tables: 'it reads any table, to judge',
  },
};
const everywhere: TopFolder = { excused: {} };

export const topFolders: Readonly<Record<string, TopFolder>> = {
  ...{ bin: everywhere, cli: everywhere, compose: everywhere, dns: everywhere, embedded: everywhere },
  ...{ gateway: everywhere, ha: everywhere, platform: everywhere, schema: everywhere, subgraphs: everywhere },
  workers: everywhere,
  backup: { excused: { tables: 'it compares the tables of a copy with what the server said before' } },
  clients: {
    excused: {
      ...{ clock: 'a client runs in its own program', connections: 'a client connects to the product' },
      exports: 'programs of users import it',
    },
  },
  lab: { excused: { connections: neverForUsers } },
  simulators: { excused: { connections: neverForUsers } },
  ...{ bench: trial, measure: trial, tests: trial, trials: trial },
  dashboard: {
    excused: {
      boundaries: 'its own package has a type check of its own',
      ...{ clock: 'it shows times to people', connections: 'a browser connects to the page it has' },
    },
  },
  docs: {
    excused: {
      boundaries: 'an example is copied out of the repository',
      ...{ clock: 'an example shows the time that it means', connections: 'an example connects to what it shows' },
      ...{ exports: 'it is copied out of the repository', tables: 'an example has tables of its own' },
    },
  },
  tools: {
    excused: {
      boundaries: 'it checks and generates the rest',
      ...{ clock: 'it runs on the machine of a contributor', connections: neverForUsers },
    },
  },
};

/** Whether the check covers the file. */
export function covers(check: FolderCheck, path: string): boolean {
  const folder = topFolders[path.split('/')[0] ?? ''];
  return folder !== undefined && folder.excused[check] === undefined;
}
