// Every option of the verbs that are generated from the registry of kinds, with each value. Some runs are written by hand. The others use
// one value each, with all options that can be combined, and the server accepts or refuses them with its own codes.
import { writeFile } from 'node:fs/promises';
import { exportedKinds } from '../../../../cli/apply/export.ts';
import { actionOf } from '../../../../cli/kinds/action-verb.ts';
import { type FieldOption, fieldOptions } from '../../../../cli/kinds/field-options.ts';
import { registry } from '../../../../generated/kinds/registry.ts';
import { makeCertificate } from '../../../../platform/net/certificates.ts';
import type { InputField, Kind } from '../../../../schema/kinds/kind.ts';
import type { FlagRun } from './flag-run.ts';

const project = '--project default';
const wait = '--wait 30';
/** Names of objects to which the options of other kinds may refer. */
const referred: Readonly<Record<string, string>> = {
  ...{ Project: 'default', User: 'sweep', DnsBackend: 'sweep', GslbFlavor: 'sweep', GslbPool: 'sweep' },
  ...{ GslbPoolMember: 'sweep/site', GslbMonitor: 'sweep', LoadBalancer: 'sweep', Pool: 'sweep/web' },
  TlsCertificate: 'sweep',
};

export async function kindCases(run: FlagRun): Promise<void> {
  const { system, ok, env } = run;
  const token = env.TIDEGATE_TOKEN ?? '';
  const file = async (name: string, text: string) => {
    await writeFile(system.path(name), text, { mode: 0o600 });
    return system.path(name);
  };
  const secret = await file('sweep.secret', 'correct horse battery staple\n');
  const { cert, key } = await makeCertificate({ commonName: 'sweep.test' });
  const chain = await file('sweep.pem', cert);
  await accountCases(run, secret);
  const projectId = JSON.parse(await ok('projects show default --json')).id as string;
  const keyFile = await file('sweep.key', key);
  await ok(`certificates create sweep --chain-file ${chain} --key-file ${keyFile} ${project}`);
  await ok(`certificates show sweep ${project}`);
  const loadBalancerId = await system.make('loadBalancerCreate', { projectId, name: 'sweep', minNodes: 1 }, token);
  await balancerKindCases(run, loadBalancerId);
  await namesCases(run, await file('sweep.yaml', 'description: from a file\n'));
  await alertKindCases(run);
  for (const each of sweptVerbs(run)) await sweep(run, { ...each, files: { secret, text: chain } });
  await fileCases(run);
  await deletionCases(run);
}

async function accountCases({ ok, system, coverage, env }: FlagRun, secret: string): Promise<void> {
  // The files stay, because the commands run again with other connections.
  const file = async (name: string, text: string) => {
    await writeFile(system.path(name), text);
    return system.path(name);
  };
  let from = await file('project.yaml', 'description: of the sweep\n');
  await ok(`projects create sweep --from ${from} ${wait}`);
  await ok(`projects create other --description text`);
  await ok(`projects update sweep --description other --from ${from} ${wait}`);
  await coverage.ends(64, 'it must have a value', 'projects update sweep --unset description', env);
  await ok('projects list --text sweep');
  await ok('projects show sweep');
  await ok(`projects delete other ${wait}`);
  from = await file('user.yaml', 'admin: false\n');
  await ok(`users create sweep --user-password-file ${secret} --admin false --from ${from} ${wait}`);
  await ok(`users create swept --admin true --user-password-file ${secret} --config ${system.config}`);
  await ok(`users create swept --recover --config ${system.config}`);
  await ok(`users update sweep --enabled true --from ${from} ${wait}`);
  await ok('users update sweep --unset current-password-file --admin false');
  await ok('users list --text sweep');
  await ok('users show sweep');
  from = await file('membership.yaml', 'role: VIEWER\n');
  await ok(`memberships set sweep --project sweep --from ${from} ${wait}`);
  for (const role of ['VIEWER', 'MEMBER', 'OPERATOR']) await ok(`memberships set sweep --project sweep --role ${role}`);
  await ok('memberships list --project sweep');
  await ok(`memberships remove sweep --project sweep ${wait}`);
  from = await file('token.yaml', `expiresAt: ${new Date(Date.now() + 86_400_000).toISOString()}\n`);
  for (const role of ['VIEWER', 'MEMBER', 'OPERATOR'])
    await ok(`tokens create sweep-${role.toLowerCase()} --role ${role} --from ${from} ${project} ${wait}`);
  await ok(`tokens create late --role VIEWER --expires-at 2100-01-01T00:00:00Z ${project}`);
  await ok(`tokens list --text sweep ${project}`);
  await ok(`tokens show late ${project}`);
  await ok(`tokens revoke late ${project} ${wait}`);
}

async function balancerKindCases({ ok, system, coverage, env }: FlagRun, loadBalancerId: string): Promise<void> {
  const make = (mutation: string, input: object) => system.make(mutation, input, env.TIDEGATE_TOKEN ?? '');
  const poolId = await make('poolCreate', { loadBalancerId, name: 'web', memberProtocol: 'HTTP' });
  await make('poolMemberCreate', { poolId, host: '192.0.2.7', port: 80 });
  const listenerId = await make('listenerCreate', { loadBalancerId, protocol: 'HTTP', port: 80 });
  const l7PolicyId = await make('l7PolicyCreate', { listenerId, name: 'none', action: 'REJECT' });
  const ruleId = await make('l7RuleCreate', { l7PolicyId, ruleType: 'PATH', compareType: 'EQUAL_TO', value: '/' });
  await ok(`listeners show 80 --loadbalancer sweep ${project}`);
  await ok(`members show 192.0.2.7:80 --pool sweep/web ${project}`);
  await ok(`l7policies show none --listener sweep/80 ${project}`);
  await ok(`l7rules show ${ruleId} ${project}`);
  // The change is on no node, because the only host is gone.
  const late = (line: string) => coverage.ends(4, 'not done within 1 s', `${line} ${project} --wait 1`, env);
  await late('health-monitors create --pool sweep/web --monitor-type TCP');
  await late('health-monitors update sweep/web --fall 4');
  await late('pools update sweep/web --enabled true');
  await coverage.ends(4, 'not done within 1 s', `health-monitors delete sweep/web ${project} --wait 1`, env);
  await coverage.ends(1, "there is no host 'nobody'", 'hosts show nobody --json', env);
  await coverage.ends(1, "there is no option 'nothing'", 'options show nothing --json', env);
  await coverage.ends(1, "there is no access key 'nothing'", `access-keys show nothing ${project} --json`, env);
  await ok(`subnets create sweep --cidr 10.12.0.0/24 --from ${await emptyFile(system)} ${project}`);
  await ok(`subnets list --text sweep ${project}`);
  await ok(`subnets show sweep ${project}`);
  const from = system.path('monitor.yaml');
  await writeFile(from, 'rise: 3\n');
  await ok(`health-monitors create --pool sweep/web --monitor-type TCP --from ${from} ${project}`);
  await ok(`health-monitors list --pool sweep/web ${project}`);
  await ok(`health-monitors show sweep/web ${project}`);
  await ok(`health-monitors update sweep/web --fall 4 --unset path --from ${from} ${project}`);
  await writeFile(from, 'description: from a file\n');
  await ok(`pools update web --loadbalancer sweep --from ${from} --rename www ${project}`);
  await ok(`pools update sweep/www --unset tls-ciphers --rename web ${project}`);
  await ok(`pools show web --loadbalancer sweep ${project}`);
}

async function emptyFile(system: FlagRun['system']): Promise<string> {
  await writeFile(system.path('empty.yaml'), '{}\n');
  return system.path('empty.yaml');
}

async function namesCases({ ok, system }: FlagRun, from: string): Promise<void> {
  const [key, nothing, target] = ['sweep.tsig', 'nothing.yaml', 'target.yaml'].map((name) => system.path(name));
  await writeFile(key ?? '', 'c2VjcmV0LW9mLXRoZS1zd2VlcA==');
  await writeFile(nothing ?? '', '{}\n');
  await writeFile(target ?? '', 'target: {poolId: sweep}\n');
  const more = `--from ${from} ${wait}`;
  await ok(`vantage-points create sweep --region eu --latitude 50 --longitude 8 ${more}`);
  await ok(`vantage-points update sweep --unset beacon --rename sweep ${more}`);
  const update = `--rfc2136-server 127.0.0.1:53 --rfc2136-key-name tsig --credentials-key-secret-file ${key}`;
  await ok(`dns-backends create sweep --backend-type RFC2136 ${update} --from ${nothing} ${wait}`);
  await ok(`dns-backends update sweep --unset rfc2136-key-algorithm --rename sweep --from ${nothing} ${wait}`);
  await ok(`flavors create sweep ${more}`);
  await ok(`flavors update sweep --unset most-names --rename sweep ${more}`);
  await ok(`zones create sweep.test --right suffix=sweep.test,allows=OUTSIDE_PROJECT ${more}`);
  await ok(`zones update sweep.test --unset secondary ${more}`);
  await ok(`gslb-pools create sweep ${project} ${more}`);
  await ok(`gslb-pools update sweep --unset quorum-fresh-ms --rename sweep ${project} ${more}`);
  await ok(`gslb-members create site --pool sweep --address 203.0.113.7 ${project} ${more}`);
  await ok(`gslb-members update sweep/site --unset member-region --rename site ${project} ${more}`);
  await ok(`gslb-members update site --pool sweep --weight 2 ${project}`);
  await ok(`gslb-monitors create sweep --check-type TCP ${project} ${more}`);
  await ok(`gslb-monitors update sweep --unset target-port --rename sweep ${project} ${more}`);
  await ok(`gslb-monitors attach sweep --from ${target} ${project} ${wait}`);
  await ok(`gslb-monitors detach sweep --from ${target} ${project} ${wait}`);
  await ok(`gslb-monitors attach sweep --target-pool sweep ${project}`);
  await ok(`gslb-monitors detach sweep --target-pool sweep ${project}`);
  await ok(`gslb-monitors attach sweep --target-member sweep/site ${project}`);
  await ok(`gslb-monitors detach sweep --target-member sweep/site ${project}`);
  await ok(`gslbs create www.sweep.test --flavor sweep --pool sweep ${project} ${more}`);
  await ok(`gslbs update www.sweep.test --unset fallback-cname ${project} ${more}`);
}

async function alertKindCases({ ok, system }: FlagRun): Promise<void> {
  const from = await emptyFile(system);
  const url = system.path('sweep.url');
  await writeFile(url, 'https://203.0.113.9/hook\n', { mode: 0o600 });
  const place = `${project} ${wait}`;
  await ok(`alert-channels create sweep --target-slack-url-file ${url} --from ${from} ${place}`);
  await ok(`alert-channels update sweep --unset quiet-time --group-ms 0 --from ${from} ${place}`);
  await ok(`alert-channels test sweep ${place}`);
  await ok(`alert-rules create sweep --condition CHECK_IN_LATE --from ${from} ${place}`);
  await ok(`alert-rules update sweep --unset repeat-ms --lasts-ms 60000 --from ${from} ${place}`);
  await ok(`alert-rules check-in sweep ${place}`);
}

/** The verbs whose fields come from the registry: all verbs that read their fields from a file. */
function sweptVerbs({ coverage }: FlagRun): readonly { readonly kind: Kind; readonly verb: string }[] {
  return Object.values(registry.kinds).flatMap((kind) =>
    ['create', 'set', 'update']
      .filter((verb) => coverage.verbs.get(`${kind.noun} ${verb}`)?.options.from?.help.startsWith('Fields in '))
      .map((verb) => ({ kind, verb })),
  );
}

/** The argument NAME of an update. */
const objects: Readonly<Record<string, string>> = {
  ...{ zones: 'sweep.test', gslbs: 'www.sweep.test', 'gslb-members': 'sweep/site', 'health-monitors': 'sweep/web' },
  pools: 'sweep/web',
};
const parents: Readonly<Record<string, string>> = {
  'gslb-members': '--pool sweep',
  'health-monitors': '--pool sweep/web',
};

interface Sweep {
  readonly kind: Kind;
  readonly verb: string;
  readonly files: { readonly secret: string; readonly text: string };
}

/** As many runs as the option with the most values has. Each alternative gets as many. */
async function sweep({ coverage, env }: FlagRun, { kind, verb, files }: Sweep): Promise<void> {
  const { noun } = kind;
  const { input } = actionOf(kind, verb);
  const known = Object.keys(coverage.verbs.get(`${noun} ${verb}`)?.options ?? {});
  const all = fieldOptions(input, { singular: kind.singular, without: [] });
  const isNew = verb === 'create';
  const parent = isNew ? (parents[noun]?.split(' ') ?? []) : [];
  const options = all.filter(({ name }) => known.includes(name) && !parent.includes(`--${name}`));
  const alternatives = options.map(({ path }) => alternativeOf(input, path));
  const counts = options.map(({ option }, at) => (option.words?.length ?? 1) * (alternatives[at]?.of ?? 1));
  const rounds = Math.max(1, ...counts);
  for (let round = 0; round < rounds; round += 1) {
    const given = options.flatMap((each, at) => {
      const alternative = alternatives[at];
      if (alternative !== undefined && alternative.at !== round % alternative.of) return [];
      return [`--${each.name}`, sampleOf(each, Math.floor(round / (alternative?.of ?? 1)), files)];
    });
    const name = isNew ? newName(noun, round) : (objects[noun] ?? 'sweep');
    const place = coverage.verbs.get(`${noun} ${verb}`)?.options.project === undefined ? [] : project.split(' ');
    const names = isNew && kind.key.length === 0 ? [] : [name];
    await coverage.isJudged([noun, verb, ...names, ...given, ...parent, ...place], env);
  }
}

function newName(noun: string, round: number): string {
  if (noun === 'zones') return `sweep-${round}.test`;
  return noun === 'gslbs' ? `sweep-${round}.sweep.test` : `sweep-${round}`;
}

/** If an input takes exactly one of several fields: the alternative of the option, and the number of alternatives. */
function alternativeOf(
  input: string,
  path: readonly string[],
): { readonly at: number; readonly of: number } | undefined {
  let type = input;
  for (const name of path) {
    const { fields = [], oneOf } = registry.inputs[type] ?? {};
    const at = fields.findIndex((each) => each.name === name);
    if (oneOf === true) return { at, of: fields.length };
    type = fields[at]?.type ?? '';
  }
  return undefined;
}

function sampleOf({ field, option }: FieldOption, round: number, files: Sweep['files']): string {
  const { words } = option;
  if (words !== undefined) return words[round % words.length] ?? '';
  if (option.value === 'TYPE/ID') return `tenant/${round}`;
  if (field.secret) return files.secret;
  if (field.file) return files.text;
  if (registry.inputs[field.type] !== undefined) return JSON.stringify(sampleObject(field.type));
  return String(sampleValue(field));
}

function sampleObject(input: string): object {
  const { fields = [] } = registry.inputs[input] ?? {};
  const needed = fields.filter(({ required }) => required === true);
  return Object.fromEntries(
    needed.map((field) => {
      const value = registry.inputs[field.type] === undefined ? sampleValue(field) : sampleObject(field.type);
      return [field.name, field.list === true ? [value] : value];
    }),
  );
}

function sampleValue({ name, type, bounds, refersTo }: InputField): string | number | boolean {
  if (refersTo !== undefined) return referred[refersTo] ?? 'sweep';
  const [word] = Object.keys(registry.enums[type] ?? {});
  if (word !== undefined) return word;
  if (type === 'Int' || type === 'Float' || type === 'Port') return bounds?.least ?? 80;
  const byType: Readonly<Record<string, string>> = {
    ...{ IpAddress: '203.0.113.9', IpOrCidr: '203.0.113.0/24', CidrBlock: '10.11.0.0/24', JSON: '{}' },
    DateTime: '2100-01-01T00:00:00Z',
  };
  return byType[type] ?? (/url$/i.test(name) ? 'https://sweep.test/' : 'sweep');
}

async function deletionCases({ ok, system }: FlagRun): Promise<void> {
  await ok(`gslbs delete www.sweep.test --yes ${project} ${wait}`);
  await ok(`gslb-members create gone --pool sweep --address 203.0.113.8 ${project}`);
  await ok(`gslb-members list --pool sweep ${project}`);
  await ok(`gslb-members show gone --pool sweep ${project}`);
  await ok(`gslb-members delete gone --pool sweep ${project} ${wait}`);
  for (const [noun, create, place] of [
    ['gslb-monitors', '--check-type TCP', project],
    ['gslb-pools', '', project],
    ['flavors', '', ''],
    ['vantage-points', '--region eu --latitude 1 --longitude 1', ''],
    ['alert-rules', '--condition NAME_DEGRADED', project],
    ['alert-channels', `--target-slack-url-file ${system.path('sweep.url')}`, project],
  ] as const) {
    const words = (text: string) => text.split(' ').filter((each) => each !== '');
    await ok([noun, 'create', 'gone', ...words(create), ...words(place)]);
    await ok([noun, 'list', '--text', 'gone', ...words(place)]);
    await ok([noun, 'show', 'gone', ...words(place)]);
    await ok([noun, 'delete', 'gone', ...words(place), ...words(wait)]);
  }
  await ok('zones create gone.test');
  await ok(`zones delete gone.test --yes ${wait}`);
  await ok('dns-backends list --text sweep');
  await ok('dns-backends show sweep');
  const key = '--rfc2136-server 127.0.0.1:54 --rfc2136-key-name tsig';
  await ok(
    `dns-backends create gone --backend-type RFC2136 ${key} --credentials-key-secret-file ${system.path('sweep.tsig')}`,
  );
  await ok(`dns-backends delete gone ${wait}`);
  await ok(`health-monitors delete sweep/web ${project}`);
}

/** `export` and `diff`, for each kind. Other cases change objects at the same time, so only objects of this file are compared. */
async function fileCases({ ok, system }: FlagRun): Promise<void> {
  await ok(`export --file ${system.path('exported.yaml')} ${project}`);
  await ok(`export --kind Project --name default --file ${system.path('named.yaml')} ${project}`);
  const own = system.path('own.yaml');
  await writeFile(own, 'kind: GslbFlavor\nname: sweep\n');
  await ok(`diff --file ${own} ${project} --prune --source sweep --recursive --secret-env KEY --secret-folder .`);
  for (const kind of exportedKinds) {
    await ok(`export --kind ${kind} ${project}`);
    await ok(`diff --file ${own} --kind ${kind} ${project}`);
  }
}
