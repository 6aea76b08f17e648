// `npm run trials -- images`: the image is built with a Docker daemon of the trial's own, and both Compose files are run with it. A person
// logs in on the container's command line, and a call reaches a device. The oracle is the device, a simulator of a FortiGate.
// needs: root
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { fixedPort } from '../measure/fixed-port.ts';
import { FortiGate } from '../simulators/fortios/fortigate.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { Docker } from './images/docker.ts';
import { untilTrue } from './until.ts';

interface ImagesResult {
  readonly builds: number;
  /** Builds and starts that failed, calls that did not reach the device, and folders that a container could write. */
  readonly notBuilt: number;
  readonly notReady: number;
  readonly notServed: number;
  readonly buildSeconds: number;
  /** From `up` until every container is healthy. */
  readonly readySeconds: { readonly one: number; readonly three: number };
  readonly imageMiB: number;
  readonly findings: readonly string[];
}

type Part = 'notBuilt' | 'notReady' | 'notServed';

export const trialImages = defineTrial({
  counts: { builds: { help: 'builds of the image, with both Compose files', usual: 1, full: 1 } },
  run: runImages,
  mustBeZero: ['notBuilt', 'notReady', 'notServed'],
});

const root = join(import.meta.dirname, '..');
const image = 'tidegate';
const readyMs = 180_000;
const setups = [
  { name: 'one', file: 'compose.yaml', services: ['tidegate'], at: 'tidegate' },
  {
    name: 'three',
    file: 'compose.control.yaml',
    services: ['database', 'redis', 'control', 'worker', 'gateway'],
    at: 'gateway',
  },
] as const;

async function runImages({
  builds,
  progress,
}: Required<TrialRun> & { readonly builds: number }): Promise<ImagesResult> {
  await using docker = await Docker.start();
  const failed = { notBuilt: 0, notReady: 0, notServed: 0 };
  const findings: string[] = [];
  const ready = { one: 0, three: 0 };
  let [buildSeconds, imageMiB] = [0, 0];
  /** Seconds, or undefined after a failure. */
  const step = async (part: Part, what: string, work: () => Promise<void>): Promise<number | undefined> => {
    const startedMs = performance.now();
    try {
      await work();
    } catch (error) {
      failed[part] += 1;
      findings.push(`${part}: ${what}: ${error instanceof Error ? error.message : error}`);
      return undefined;
    }
    const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
    progress(`${what}: ${seconds} s`);
    return seconds;
  };
  await step('notBuilt', 'the base image', () => docker.importBase());
  for (let build = 0; build < builds && failed.notBuilt === 0; build += 1) {
    buildSeconds = (await step('notBuilt', 'the image', () => buildImage(docker))) ?? 0;
    if (failed.notBuilt > 0) break;
    imageMiB = Math.round(Number(await docker.run('inspect', '--format', '{{.Size}}', image)) / 2 ** 20);
    for (const setup of setups) {
      ready[setup.name] = (await step('notReady', `${setup.file} to be ready`, () => up(docker, setup))) ?? 0;
      if (ready[setup.name] > 0)
        await step('notServed', `the first call of ${setup.file}`, () => firstCall(docker, setup));
      await docker.down(setup.name);
    }
  }
  return { builds, ...failed, buildSeconds, readySeconds: ready, imageMiB, findings };
}

async function buildImage(docker: Docker): Promise<void> {
  const authority = `NODE_EXTRA_CA_CERTS=${process.env.NODE_EXTRA_CA_CERTS ?? ''}`;
  const words = ['--quiet', '--network', 'host', '--build-arg', authority, '--file', join(root, 'docker/Dockerfile')];
  await docker.run('build', ...words, '--tag', image, root);
}

async function up(docker: Docker, { name, file, services }: (typeof setups)[number]): Promise<void> {
  await docker.compose(name, join(root, 'docker', file), await fixedPort(), 'up', '--detach', '--no-build');
  for (const service of services) {
    const health = async () =>
      (await docker.run('inspect', '--format', '{{.State.Health.Status}}', `${name}_${service}_1`)).trim();
    if (await untilTrue(readyMs, async () => (await health()) === 'healthy')) continue;
    const { stdout, stderr } = await docker.try('logs', '--tail', '20', `${name}_${service}_1`);
    throw new Error(`${service} is ${await health()}:\n${stdout}${stderr}`);
  }
}

/** On the command line in the container: log in, register a device, make a call. */
async function firstCall(docker: Docker, { name, at }: (typeof setups)[number]): Promise<void> {
  await using cleanup = new AsyncDisposableStack();
  const container = `${name}_${at}_1`;
  const template = '{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}';
  const gateway = (await docker.run('inspect', '--format', template, container)).trim();
  const { gate, port } = await deviceAt(gateway, cleanup);
  const inside = (script: string) => docker.run('exec', container, 'sh', '-c', `umask 077; ${script}`);
  if ((await docker.try('exec', container, 'touch', '/opt/tidegate/x')).exitCode === 0)
    throw new Error('the root of the container can be written');
  await inside("echo 'device secret' > /tmp/device.password");
  if (name === 'three') {
    const { stdout, stderr } = await docker.try('logs', `${name}_setup_1`);
    const [, password = ''] = /The password of admin: (\w+)/.exec(stdout + stderr) ?? [];
    await inside(`echo ${password} > /tmp/admin.password`);
  } else await inside('cp /var/lib/tidegate/admin.password /tmp/');
  const login = ['--user', 'admin', '--password-file', '/tmp/admin.password', '--url', 'http://127.0.0.1:4000/graphql'];
  const tidegate = (...words: readonly string[]) =>
    docker.run('exec', container, '/opt/tidegate/bin/tidegate', ...words, ...login);
  await tidegate('projects', 'create', 'shop');
  await tidegate(
    ...['backends', 'create', 'edge', '--project', 'shop', '--driver', 'fortios', '--host', gateway],
    ...['--port', String(port), '--username', 'admin', '--backend-password-file', '/tmp/device.password'],
    ...['--certificate', gate.https.certificate.sha256, '--wait', '60'],
  );
  const address = JSON.stringify({ name: 'web', address: '198.51.100.7' });
  const call = ['address.create', '--arguments', address, '--cmp', 'tenant/42', '--project', 'shop', '--wait', '60'];
  const answer = await tidegate('call', 'edge', ...call, '--json');
  const isThere = gate.requests.some((each) => each.method === 'POST' && each.path.includes('firewall/address'));
  if (!isThere) throw new Error(`the call did not reach the device: ${answer}`);
}

/** The simulator listens on loopback; containers reach this machine at the gateway of their network. */
async function deviceAt(host: string, cleanup: AsyncDisposableStack): Promise<{ gate: FortiGate; port: number }> {
  const gate = await FortiGate.start({ hostname: 'edge', password: 'device secret' });
  cleanup.defer(() => gate.stop());
  const forward = createServer((socket) => {
    const device = connect(gate.https.port, gate.host);
    const both = [socket, device];
    for (const each of both) each.on('error', () => both.map((one) => one.destroy()));
    socket.pipe(device).pipe(socket);
  });
  forward.listen(0, host);
  await once(forward, 'listening');
  cleanup.defer(async () => void forward.close());
  return { gate, port: (forward.address() as AddressInfo).port };
}
