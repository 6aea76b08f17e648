// Chooses the backend of a call: all conditions of the selector must match, and exactly one backend must remain.
import type { BackendSelector } from '../../../../generated/graph/relay.ts';
import { allows, type Identity, type Role } from '../../../../platform/caller/identity.ts';
import type { Sql } from '../../../../platform/database/database.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { projectsOf } from '../../../../platform/input/authorise.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import { nearestName } from '../../../../platform/values/nearest-name.ts';
import type { CmpReference } from '../model/cmp-reference.ts';
import type { BackendRow } from './backend.ts';
import { checkName } from './backend-input.ts';
import { countLiveMappings, matchingBackends, namesAround, projectsWithBackends } from './backend-store.ts';

const mostCandidates = 1000;
const shownCandidates = 10;

export function checkSelector(check: InputCheck, selector: BackendSelector, cmp: unknown): void {
  const given = (['id', 'name', 'family', 'label', 'site'] as const).some((field) => selector[field] != null);
  if (!given && selector.whereMapped !== true)
    check.fault('backend', 'backend selects nothing: give id, name, family, label, site or whereMapped');
  if (selector.name != null) checkName(check, 'backend.name', selector.name);
  if (selector.site != null) check.text('backend.site', selector.site, { min: 1, max: 63 });
  if (selector.label != null) {
    checkName(check, 'backend.label.name', selector.label.name);
    check.text('backend.label.value', selector.label.value, { max: 255 });
  }
  check.integer('backend.ordinal', selector.ordinal, { min: 1, max: 4_294_967_295 });
  if (selector.ordinal != null && selector.family == null) check.fault('backend.ordinal', 'ordinal requires family');
  if (selector.whereMapped === true && cmp == null)
    check.fault('backend.whereMapped', 'whereMapped requires cmpObject, the object whose backend is meant');
}

/** Refuses NOT_FOUND, AMBIGUOUS or PROJECT_REQUIRED. */
export async function selectBackend(
  sql: Sql,
  identity: Identity | null,
  request: {
    readonly projectId?: string | null | undefined;
    readonly backend: BackendSelector;
    readonly cmp: CmpReference | null;
  },
): Promise<BackendRow> {
  const { backend: selector, cmp } = request;
  const id = selector.id == null ? undefined : decodeUuid('Backend', selector.id);
  const projects = projectsOf(identity, request.projectId);
  if (selector.id != null && id === undefined) return notFound(sql, projects, selector);
  const matching = await matchingBackends(sql, {
    projects,
    id,
    name: selector.name ?? undefined,
    family: selector.family ?? undefined,
    ordinal: selector.ordinal ?? undefined,
    site: selector.site ?? undefined,
    label: selector.label ?? undefined,
    livesThere: selector.whereMapped === true ? (cmp ?? undefined) : undefined,
    take: mostCandidates,
  });
  const [first] = matching;
  if (first === undefined) return notFound(sql, projects, selector);
  if (matching.length === 1) return first;
  if (matching.some((row) => row.projectId !== first.projectId))
    refuse('PROJECT_REQUIRED', 'backends of several projects match: name the project with projectId', {
      field: ['input', 'projectId'],
    });
  if (selector.leastMapped === true) return leastMapped(sql, matching);
  const shown = matching.slice(0, shownCandidates).map((row) => `${row.name} (${encodeId('Backend', row.id)})`);
  const more = matching.length > shown.length ? ` and ${matching.length - shown.length} more` : '';
  refuse('AMBIGUOUS', `${matching.length} backends match: ${shown.join(', ')}${more}. Select one of them.`, {
    field: ['input', 'backend'],
  });
}

async function leastMapped(sql: Sql, rows: readonly BackendRow[]): Promise<BackendRow> {
  const usable = rows.filter((row) => row.provisioningStatus === 'ENABLED');
  const candidates = usable.length > 0 ? usable : rows;
  const counts = await countLiveMappings(
    sql,
    candidates.map((row) => row.id),
  );
  return candidates.reduce((best, row) => ((counts.get(row.id) ?? 0) < (counts.get(best.id) ?? 0) ? row : best));
}

/** Among these projects, those in which the caller has the role and calls may have been made. */
export async function projectsWithRole(
  sql: Sql,
  identity: Identity | null,
  projects: 'all' | readonly string[],
  role: Role,
): Promise<readonly string[]> {
  const named = projects === 'all' ? await projectsWithBackends(sql) : projects;
  return named.filter((project) => allows(identity, project, role));
}

async function notFound(sql: Sql, projects: 'all' | readonly string[], selector: BackendSelector): Promise<never> {
  const { name } = selector;
  const isNameOnly = name != null && Object.values(selector).filter((value) => value != null).length === 1;
  const near = name == null ? undefined : nearestName(name, await namesAround(sql, projects, name));
  const wrong = isNameOnly
    ? `there is no backend ${name}`
    : `no backend matches ${JSON.stringify(selector).slice(0, 200)}`;
  refuse('NOT_FOUND', `${wrong}${near === undefined ? '' : `; ${near} is near`}`, { field: ['input', 'backend'] });
}
