// The allowed imports: platform imports only libraries, dns only platform, subgraphs do not import each other, and no shipped file
// imports tests or tools.
import type { SourceFile } from './source-files.ts';

interface Rule {
  readonly folder: string;
  /** Prefixes of files that it may import besides its own folder; packages are always allowed. */
  readonly mayImport: readonly string[];
}

const rules: readonly Rule[] = [
  { folder: 'platform/', mayImport: ['generated/prisma/', 'generated/kinds/update-nulls.ts'] },
  { folder: 'dns/', mayImport: ['platform/'] },
  { folder: 'gateway/', mayImport: ['platform/', 'schema/'] },
  { folder: 'workers/', mayImport: ['platform/'] },
  { folder: 'embedded/', mayImport: ['platform/work/within.ts'] },
  { folder: 'ha/', mayImport: ['platform/', 'embedded/', 'dns/'] },
  { folder: 'backup/', mayImport: ['platform/', 'embedded/', 'ha/agent/', 'subgraphs/object-storage/rules/sigv4/'] },
  { folder: 'clients/', mayImport: [] },
  // A simulator that shared the product's code would share its mistakes; openssl makes the certificates.
  { folder: 'simulators/', mayImport: ['platform/net/certificates.ts'] },
  { folder: 'schema/', mayImport: ['platform/'] },
  // The lab's access to an installation on one machine.
  { folder: 'lab/control-plane/', mayImport: ['platform/', 'dns/', 'embedded/', 'lab/'] },
  {
    folder: 'lab/',
    mayImport: [
      ...['platform/', 'embedded/', 'simulators/', 'subgraphs/relay/'],
      'subgraphs/loadbalancer/agents/lbhost/providers/',
    ],
  },
  {
    folder: 'compose/',
    mayImport: [
      ...['platform/', 'dns/', 'gateway/', 'subgraphs/rows.ts', 'workers/', 'embedded/', 'ha/', 'lab/', 'schema/'],
    ],
  },
  {
    folder: 'cli/',
    mayImport: [
      ...[
        'generated/cli/',
        'generated/kinds/',
        'platform/',
        'dns/',
        'gateway/',
        'subgraphs/',
        'embedded/',
        'ha/',
        'backup/',
        'lab/',
        'schema/',
      ],
      'compose/',
      // CMPs copy this code, and so does the load.
      'clients/typescript/',
      'clients/failure-table/',
    ],
  },
  { folder: 'bin/', mayImport: ['cli/'] },
];

/** Packages under the Elastic License (README, Licences). They are for development only, and only these files may import them. */
const elastic = /^@apollo\/(composition|federation-internals|gateway|query-graphs|query-planner)(\/|$)/;
const elasticAdapter = 'trials/gateway-differential/stock-executor.ts';

/** The rule for a file; a subgraph's folder has its own. */
function ruleFor(path: string): Rule | undefined {
  const subgraph = /^subgraphs\/[^/]+\//.exec(path)?.[0];
  if (subgraph !== undefined) return { folder: subgraph, mayImport: ['platform/', 'dns/', 'generated/'] };
  if (path === 'subgraphs/rows.ts') return { folder: path, mayImport: ['platform/', 'subgraphs/'] };
  return rules.find((rule) => path.startsWith(rule.folder));
}

export function findBoundaryFaults(files: readonly SourceFile[]): string[] {
  const known = files
    .filter(({ path }) => path !== elasticAdapter)
    .flatMap(({ path, imports }) =>
      imports
        .filter(({ target }) => elastic.test(target))
        .map(({ target }) => `${path} imports ${target}: only ${elasticAdapter} may`),
    );
  return known.concat(crossings(files));
}

function crossings(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const rule = ruleFor(file.path);
    if (rule === undefined) return [];
    return file.imports
      .filter((each) => each.ours && ![rule.folder, ...rule.mayImport].some((prefix) => each.target.startsWith(prefix)))
      .map((each) => `${file.path} imports ${each.target}: ${rule.folder} may import only ${allowed(rule)}`);
  });
}

function allowed(rule: Rule): string {
  return ['packages', 'itself', ...rule.mayImport].join(', ');
}
