// The pictures of the documentation, and the commands for each.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type RecordedProgram, type RecordedStep, record, type Step } from './recording.ts';

interface Picture {
  /** File in docs/pictures. */
  readonly file: string;
  readonly title: string;
  readonly steps: readonly Step[];
}

const url = 'http://shop.default.lb.lab.test/';

/** A load balancer whose node is unplugged, with `npm start` and the lab's part `balancers`. */
export const loadBalancerPicture: Picture = {
  file: 'load-balancer.svg',
  title:
    'A load balancer is created by one command. One of its nodes is unplugged: requests are answered, and the node is replaced.',
  steps: [
    {
      words: [
        ...['loadbalancers', 'create', 'shop', '--http', '80', '--member', '$WEB1:80', '--member', '$WEB2:80'],
        ...['--check', 'http:/', '--nodes', '2', '--cmp', 'tenant/7'],
      ],
    },
    { words: ['nodes', 'list', '--loadbalancer', 'shop'], until: /SERVING[\s\S]*SERVING/ },
    { words: ['lab', 'exec', 'client', '--', 'curl', '-s', url], until: /\w/ },
    { words: ['lab', 'unplug', '$NODE'] },
    { words: ['lab', 'exec', 'client', '--', 'curl', '-s', '--connect-timeout', '6', url], until: /\w/ },
    {
      words: ['nodes', 'list', '--loadbalancer', 'shop'],
      until: /REPLACED[\s\S]*SERVING[\s\S]*SERVING|SERVING[\s\S]*SERVING[\s\S]*REPLACED/,
    },
    { words: ['lab', 'plug', '$NODE'] },
  ],
};

/** The start page of the dashboard, in GitHub's light and dark. ./draw-dashboard.ts draws it. */
export const dashboardPicture = {
  /** Files in docs/pictures. */
  files: { light: 'dashboard-light.png', dark: 'dashboard-dark.png' },
  /** Parts of the lab. */
  parts: ['firewall', 'balancers', 'sites', 'clusters'],
  size: { width: 1440, height: 640 },
  mostBytes: 200_000,
  /** Texts of the created objects. */
  texts: ['1 backend', '4 load balancers', '1 name · 1 not fully up', 'shop.gslb.lab.test'],
} as const;

/** Records it with a running product that has that part of the lab. `data`: the product's data folder. */
export async function recordLoadBalancer(program: RecordedProgram, data: string): Promise<readonly RecordedStep[]> {
  const text = await readFile(join(data, 'balancers.env'), 'utf8');
  const known = new Map(text.split('\n').map((line) => line.split(/=(.*)/s) as [string, string]));
  return record(program, loadBalancerPicture.steps, async (name) => {
    const value = known.get(name) ?? (name === 'NODE' ? await firstNode(program) : undefined);
    if (value === undefined) throw new Error(`there is no variable ${name}`);
    // It stays the same when it is no longer the first.
    known.set(name, value);
    return value;
  });
}

async function firstNode({ command: [file, ...before], place, cwd, signal }: RecordedProgram): Promise<string> {
  const words = place(['nodes', 'list', '--loadbalancer', 'shop', '--json']);
  const { stdout } = await promisify(execFile)(file, [...before, ...words], { cwd, signal });
  const [first] = JSON.parse(stdout) as readonly { readonly name: string }[];
  if (first === undefined) throw new Error('the load balancer has no node');
  return first.name;
}
