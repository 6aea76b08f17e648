// The files of docker/ for containers and Kubernetes: each refers to roles, settings and keys that exist, and says the version of the program.
// `npm run trials -- images` builds and runs the image.
import { constants, readdirSync } from 'node:fs';
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { keyFilesOf, machineRolesOf } from '../../compose/missing-files.ts';
import { type Config, placeOf, readConfig, rolesOf } from '../../platform/process/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { forFile } from '../support/jest/shared.ts';
import { temporaryFolder } from '../support/machine/temporary-folder.ts';

const folder = join(import.meta.dirname, '../../docker');
const text = (file: string): Promise<string> => readFile(join(folder, file), 'utf8');
const composeFiles = readdirSync(folder).filter((file) => /^compose.*\.yaml$/.test(file));
const processes = ['control', 'worker', 'gateway'];

interface Service {
  readonly image: string;
  readonly build: { readonly context: string; readonly dockerfile: string; readonly target?: string };
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
}
interface Compose {
  readonly version: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: object;
}

/** What the test reads of an object of Kubernetes. */
interface Manifest {
  readonly kind: string;
  readonly metadata?: { readonly name: string };
  readonly resources?: readonly string[];
  readonly images?: readonly object[];
  readonly configMapGenerator?: readonly { readonly files: readonly string[] }[];
  readonly spec?: {
    readonly replicas?: number;
    readonly minAvailable?: number;
    readonly selector?: object;
    readonly template?: { readonly spec: Pod };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
    readonly podSelector?: { readonly matchLabels?: { readonly process: string } };
    readonly ingress?: readonly { readonly ports: readonly { readonly port: string }[] }[];
    readonly ports?: readonly { readonly targetPort: string }[];
  };
}
interface Pod {
  readonly securityContext: object;
  readonly terminationGracePeriodSeconds: number;
  readonly initContainers: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string }[];
}
type Exec = { readonly exec: { readonly command: readonly string[] } };
interface Container {
  readonly args?: readonly string[];
  readonly securityContext?: object;
  readonly startupProbe?: Exec;
  readonly readinessProbe?: Exec;
  readonly livenessProbe?: Exec;
  readonly lifecycle?: { readonly preStop: Exec };
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts?: readonly { readonly name: string }[];
}

const compose = async (file: string): Promise<Compose> => parse(await text(file), { merge: true });

const scratch = forFile(() => temporaryFolder());
/** The settings of a control plane's processes, where its Secrets are files of the test. */
async function readSettings(place: string): Promise<(name: string) => Config> {
  const read = new Map<string, Config>();
  for (const name of processes) {
    const file = join(scratch.path, `${name}.yaml`);
    await writeFile(file, (await text(`${place}/${name}.yaml`)).replaceAll('/etc/tidegate', scratch.path));
    read.set(name, readConfig({ file, env: {} }, subgraphRows));
  }
  return (name) => {
    const found = read.get(name);
    if (found === undefined) throw new Error(`there is no ${name}.yaml`);
    return found;
  };
}

beforeAll(async () => {
  for (const secret of ['database', 'redis']) await writeFile(join(scratch.path, `${secret}.password`), 'secret\n');
});

test('the image has the version of the program, a user by number, and a health check', async () => {
  const { version } = JSON.parse(await text('../package.json')) as { version: string };
  const last = (await text('Dockerfile')).split(/^FROM /m).at(-1);
  expect(last).toContain(`org.opencontainers.image.version="${version}"`);
  expect(last).toMatch(/^USER \d+:\d+$/m);
  expect(last).toMatch(/^HEALTHCHECK .*HEALTH_URL/m);
});

describe.each(composeFiles)('%s', (file) => {
  test('uses what docker-compose 1.29 knows, stages that exist, and volumes that it declares', async () => {
    const { version, services, volumes } = await compose(file);
    expect(version).toBe('3.7');
    const stages = [...(await text('Dockerfile')).matchAll(/^FROM \S+ AS (\S+)$/gm)].map(([, name]) => name);
    for (const [name, { build, volumes: used = [] }] of Object.entries(services)) {
      expect([name, build]).toMatchObject([name, { context: '..', dockerfile: 'docker/Dockerfile' }]);
      if (build.target !== undefined) expect(stages).toContain(build.target);
      for (const volume of used) expect(Object.keys(volumes)).toContain(volume.split(':')[0]);
    }
  });

  test('starts programs of the checkout', async () => {
    for (const { entrypoint } of Object.values((await compose(file)).services)) {
      const [program = ''] = entrypoint ?? ['/opt/tidegate/docker/ha/host.sh'];
      await expect(access(join(folder, '..', program.replace('/opt/tidegate/', '')), constants.X_OK)).resolves.toBe(
        undefined,
      );
    }
  });
});

test.each(composeFiles.filter((file) => file !== 'compose.ha.yaml'))('%s gives no process a right', async (file) => {
  for (const service of Object.values((await compose(file)).services))
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
});

describe.each([
  { place: 'compose', hosts: (name: string) => [name] },
  { place: 'kubernetes/settings', hosts: (name: string) => [`${name}-0.${name}`, `${name}-1.${name}`] },
])('the control plane of $place', ({ place, hosts }) => {
  test('has every role of a control plane once', async () => {
    const settings = await readSettings(place);
    const { all } = rolesOf(subgraphRows);
    const ofOthers = subgraphRows.flatMap(({ roles = [] }) => roles.map(({ name }) => name));
    expect(processes.flatMap((name) => settings(name).roles).sort()).toEqual(
      all.filter((role) => !ofOthers.includes(role)).sort(),
    );
  });

  test('the gateway reaches each subgraph, and the subgraphs reach the gateway', async () => {
    const settings = await readSettings(place);
    const [control, gateway] = [settings('control'), settings('gateway')];
    const urlsTo = (name: string, port: unknown, path: string) =>
      hosts(name).map((host) => `https://${host}:${port}${path}`);
    expect(subgraphRows.map(({ name }) => [name, placeOf(name, gateway).urls])).toEqual(
      subgraphRows.map(({ name }) => [name, urlsTo('control', placeOf(name, control).port, '/graphql')]),
    );
    expect(control['internal.graphUrls']).toEqual(urlsTo('gateway', gateway['internal.graphPort'], ''));
  });
});

test('setup.sh gives each process its key files and its machines', async () => {
  const settings = await readSettings('compose');
  const setup = await text('compose/setup.sh');
  const [, worker = ''] = /for key in ([\w ]+); do cp .* worker\/keys/.exec(setup) ?? [];
  expect(worker.split(' ').sort()).toEqual([...keyFilesOf(settings('worker'), subgraphRows)].sort());
  expect(keyFilesOf(settings('gateway'), subgraphRows)).toEqual(['gateway']);
  for (const name of processes) {
    const [, roles = ''] = new RegExp(`issue ${name} (\\S+) ${name}$`, 'm').exec(setup) ?? [];
    expect([name, roles.split(',').sort()]).toEqual([
      name,
      machineRolesOf(settings(name), subgraphRows).join().split(',').sort(),
    ]);
  }
});

describe('kubernetes', () => {
  const read = async (file: string) =>
    parseAllDocuments(await text(`kubernetes/${file}`)).map((document) => document.toJS() as Manifest);
  const ofKind = (documents: readonly Manifest[], kind: string) => documents.filter((each) => each.kind === kind);

  test('the kustomization has every file, and the version of the program', async () => {
    const [kustomization] = await read('kustomization.yaml');
    const files = readdirSync(join(folder, 'kubernetes')).filter((file) => file.endsWith('.yaml'));
    expect([...(kustomization?.resources ?? []), 'kustomization.yaml'].sort()).toEqual(files.sort());
    expect(kustomization?.configMapGenerator?.[0]?.files).toEqual(
      ['control', 'worker', 'gateway'].map((name) => `settings/${name}.yaml`),
    );
    const { version } = JSON.parse(await text('../package.json')) as { version: string };
    expect(kustomization?.images).toEqual([expect.objectContaining({ name: 'tidegate', newTag: version })]);
  });

  test.each(processes)('%s has no right, starts, is ready, drains, and survives a disruption', async (name) => {
    const documents = await read(`${name}.yaml`);
    const [set] = ofKind(documents, 'StatefulSet');
    const pod = set?.spec?.template?.spec;
    const [container] = pod?.containers ?? [];
    const settings = (await readSettings('kubernetes/settings'))(name);
    for (const each of [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])])
      expect(each.securityContext).toEqual({
        ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
        capabilities: { drop: ['ALL'] },
      });
    expect(pod?.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(container?.args).toEqual(['serve', '--config', `/settings/${name}.yaml`]);
    const port = settings['watch.port'] ?? settings['listen.port'];
    for (const [probe, path] of [
      ['startupProbe', 'live'],
      ['readinessProbe', 'ready'],
      ['livenessProbe', 'live'],
    ] as const)
      expect(container?.[probe]?.exec.command.at(-1)).toBe(`http://127.0.0.1:${port}/health/${path}`);
    // 60 s, as in the units, after the pause in which the pod leaves the endpoints.
    const pause = Number(container?.lifecycle?.preStop.exec.command.at(-1));
    expect(pod?.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(60 + pause);
    const [budget] = ofKind(documents, 'PodDisruptionBudget');
    expect(set?.spec?.replicas).toBeGreaterThan(budget?.spec?.minAvailable ?? 9);
    expect(budget?.spec?.selector).toEqual(set?.spec?.selector);
    const mounted = container?.volumeMounts?.map((each) => each.name) ?? [];
    const known = [
      ...(pod?.volumes ?? []).map((each) => each.name),
      set?.spec?.volumeClaimTemplates?.[0]?.metadata.name,
    ];
    expect(known).toEqual(expect.arrayContaining(mounted));
    const listening = Object.entries(settings as Readonly<Record<string, unknown>>)
      .filter(([key, value]) => /^(?:internal|listen|loadbalancer|gslb|objectStorage)\..*[pP]ort$/.test(key) && value)
      .map(([, value]) => value);
    const isGateway = name === 'gateway' ? [] : [4000];
    expect((container?.ports ?? []).map((each) => each.containerPort).sort()).toEqual(
      listening.filter((value) => !isGateway.includes(value as number)).sort(),
    );
  });

  test('network policies and services name ports that containers have', async () => {
    const names = new Map<string, readonly string[]>();
    for (const name of processes) {
      const [set] = ofKind(await read(`${name}.yaml`), 'StatefulSet');
      names.set(
        name,
        (set?.spec?.template?.spec.containers[0]?.ports ?? []).map((port) => port.name),
      );
    }
    const policies = (await read('network.yaml')).filter((each) => each.spec?.podSelector?.matchLabels !== undefined);
    expect(policies.map((each) => each.metadata?.name).sort()).toEqual(['control', 'gateway']);
    for (const { spec } of policies) {
      const own = names.get(spec?.podSelector?.matchLabels?.process ?? '');
      const opened = spec?.ingress?.flatMap(({ ports }) => ports.map(({ port }) => port)) ?? [];
      expect([...opened].sort()).toEqual([...(own ?? [])].sort());
    }
    for (const name of processes)
      for (const { spec } of ofKind(await read(`${name}.yaml`), 'Service'))
        expect(names.get(name)).toEqual(expect.arrayContaining((spec?.ports ?? []).map((each) => each.targetPort)));
  });
});
