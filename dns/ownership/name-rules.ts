// The rules of a zone: which projects may create which names. The rule with the longest suffix decides. Pure. name-claims.ts checks whether a name is
// free.

/** Special kinds of names, which a rule must allow explicitly. */
const nameKinds = ['APEX', 'WILDCARDS', 'UNDERSCORES', 'OUTSIDE_PROJECT'] as const;
export type NameKind = (typeof nameKinds)[number];

export interface ZoneRule {
  /** The zone itself, or a name in it. */
  readonly suffix: string;
  /** The projects that may create names at or below the suffix. Null for every project, at or below PROJECT.SUFFIX. */
  readonly projectIds: readonly string[] | null;
  /** OUTSIDE_PROJECT: allows names outside PROJECT.SUFFIX, if `projectIds` is null. */
  readonly allows?: readonly NameKind[];
}

interface RuledName {
  /** Lower case, without a final dot. May begin with `*.`. */
  readonly name: string;
  readonly zone: string;
  readonly project: { readonly id: string; readonly name: string };
}

type Ruling =
  | {
      readonly allowed: true;
      /** The suffix that an administrator assigned to this project. Empty if the name follows from a rule for every project. */
      readonly delegated: string;
    }
  | { readonly allowed: false; readonly reason: string };

/** Rules of a zone without rules of its own. */
const everyProject = (zone: string): readonly ZoneRule[] => [{ suffix: zone, projectIds: null }];

/** The name without `*.`. */
export function bareName(name: string): string {
  return name.startsWith('*.') ? name.slice(2) : name;
}

/** Whether the name is the suffix, or below it. */
export function isWithin(name: string, suffix: string): boolean {
  return name === suffix || name.endsWith(`.${suffix}`);
}

/** Labels of the name that may be names of projects: PROJECT in PROJECT.SUFFIX. */
export function projectLabels(rules: readonly ZoneRule[], { name, zone }: Pick<RuledName, 'name' | 'zone'>): string[] {
  const bare = bareName(name);
  const suffixes = effective(rules, zone).filter((rule) => isByProject(rule) && bare.endsWith(`.${rule.suffix}`));
  return [...new Set(suffixes.map(({ suffix }) => labelBelow(bare, suffix)))];
}

/** `projects`: ids by name, including all of `projectLabels`. */
export function rulingOf(
  rules: readonly ZoneRule[],
  { name, zone, project }: RuledName,
  projects: ReadonlyMap<string, string>,
): Ruling {
  const bare = bareName(name);
  const fitting = effective(rules, zone).flatMap((rule): readonly (ZoneRule & { readonly whose: string })[] => {
    if (!isWithin(bare, rule.suffix)) return [];
    if (!isByProject(rule))
      return [{ ...rule, whose: rule.projectIds?.length === 0 ? 'no project' : 'another project' }];
    const label = bare === rule.suffix ? undefined : labelBelow(bare, rule.suffix);
    const owner = label === project.name ? project.id : label === undefined ? undefined : projects.get(label);
    return owner === undefined
      ? []
      : [{ ...rule, suffix: `${label}.${rule.suffix}`, projectIds: [owner], whose: `the project ${label}` }];
  });
  const longest = Math.max(...fitting.map(({ suffix }) => suffix.length));
  const deciding = fitting.filter(({ suffix }) => suffix.length === longest);
  const own = deciding.filter(({ projectIds }) => projectIds === null || projectIds.includes(project.id));
  const [first] = own;
  if (first === undefined) {
    const [other] = deciding;
    const whose = other === undefined ? '' : `${name} is in ${other.suffix}, which belongs to ${other.whose}; `;
    return { allowed: false, reason: `${whose}${whereAllowed(rules, zone, project)}` };
  }
  const allowed = new Set(own.flatMap(({ allows = [] }) => allows));
  const lacking = kindsOf(name, zone).find((kind) => !allowed.has(kind));
  if (lacking !== undefined)
    return { allowed: false, reason: `${meanings[lacking]} needs a right of the zone ${zone} that allows ${lacking}` };
  const isDelegated = effective(rules, zone).some(
    ({ suffix, projectIds }) => suffix === first.suffix && projectIds?.includes(project.id) === true,
  );
  return { allowed: true, delegated: isDelegated ? first.suffix : '' };
}

const meanings: Readonly<Record<NameKind, string>> = {
  APEX: 'the zone itself',
  WILDCARDS: 'a wildcard',
  UNDERSCORES: 'a label that begins with _',
  OUTSIDE_PROJECT: 'such a name',
};

function kindsOf(name: string, zone: string): readonly NameKind[] {
  const kinds: NameKind[] = [];
  const bare = bareName(name);
  if (name === zone) kinds.push('APEX');
  if (bare !== name) kinds.push('WILDCARDS');
  const labels = bare.slice(0, Math.max(0, bare.length - zone.length)).split('.');
  if (labels.some((label) => label.startsWith('_'))) kinds.push('UNDERSCORES');
  return kinds;
}

function effective(rules: readonly ZoneRule[], zone: string): readonly ZoneRule[] {
  return rules.length === 0 ? everyProject(zone) : rules;
}

function isByProject({ projectIds, allows = [] }: ZoneRule): boolean {
  return projectIds === null && !allows.includes('OUTSIDE_PROJECT');
}

/** `name` must be below the suffix. */
function labelBelow(name: string, suffix: string): string {
  return (
    name
      .slice(0, -suffix.length - 1)
      .split('.')
      .at(-1) ?? ''
  );
}

function whereAllowed(rules: readonly ZoneRule[], zone: string, project: RuledName['project']): string {
  const suffixes = effective(rules, zone).flatMap((rule) => {
    if (isByProject(rule)) return [`${project.name}.${rule.suffix}`];
    return rule.projectIds === null || rule.projectIds.includes(project.id) ? [rule.suffix] : [];
  });
  if (suffixes.length === 0) return `in the zone ${zone} this project may create no names`;
  const ends = [...new Set(suffixes)].join(', ');
  return `in the zone ${zone} this project may create names that end in ${ends}, except where a longer suffix belongs to other projects`;
}
