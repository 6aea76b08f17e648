// The filters of the page of the audit trail, all of them for the server. The text of every page is a part of the operation's name.
import { type FilterControl, type FilterFormat, type Filters, plainFormat, toSearch } from '../../filters/filters.ts';

const outcomes = ['ACCEPTED', 'REFUSED'] as const;
type Outcome = (typeof outcomes)[number];

export interface AuditFilters extends Filters {
  /** A part of the name of who asked. */
  readonly who: string;
  /** The global id of an object. */
  readonly subjectId: string;
  readonly requestId: string;
  readonly outcome: Outcome | null;
  /** Points in time, in ISO 8601. */
  readonly from: string | null;
  readonly before: string | null;
  /** Log-ins and renewals of sessions, most of all entries, are shown, too. */
  readonly logins: boolean;
}

export type AuditControl = FilterControl<AuditFilters>;

/** Each visit of the console makes several of these. */
const ofSessions = ['login', 'logout', 'sessionRefresh', 'sessionStart'];

const common = plainFormat([]);
const longest = { who: 255, subject: 1_024, request: 64 };

export const filterFormat: FilterFormat<AuditFilters> = {
  parse(search) {
    const params = new URLSearchParams(search);
    const text = (name: keyof typeof longest) => (params.get(name) ?? '').slice(0, longest[name]);
    const result = params.get('result')?.toUpperCase();
    return {
      ...common.parse(search),
      who: text('who'),
      subjectId: text('subject'),
      requestId: text('request'),
      outcome: outcomes.find((outcome) => outcome === result) ?? null,
      from: timeOf(params.get('from')),
      before: timeOf(params.get('before')),
      logins: params.get('logins') === 'shown',
    };
  },
  format(filters) {
    const { who, subjectId, requestId, outcome, from, before, logins } = filters;
    const params = new URLSearchParams(common.format(filters));
    const own = { who, subject: subjectId, request: requestId, result: outcome?.toLowerCase(), from, before };
    if (logins) params.set('logins', 'shown');
    for (const [name, value] of Object.entries(own)) if (value) params.set(name, value);
    return toSearch(params);
  },
};

/** What is not a time is no filter. */
function timeOf(text: string | null): string | null {
  const ms = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

/** The variables of the query. */
export function variablesOf(filters: AuditFilters) {
  const { projectId, text, who, subjectId, requestId, outcome, from, before, logins } = filters;
  const isNamed = text.trim() !== '' || requestId.trim() !== '';
  return {
    projectId,
    actorName: who.trim() || null,
    action: text.trim().slice(0, 64) || null,
    exceptActions: logins || isNamed ? null : [...ofSessions],
    subjectId: subjectId.trim() || null,
    requestId: requestId.trim() || null,
    outcomes: outcome === null ? null : [outcome],
    recordedFrom: from,
    recordedBefore: before,
  };
}
