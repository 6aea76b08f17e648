// What ends within a month: certificates, and API tokens of the projects that the viewer operates.
import { useCallback } from 'react';
import { StartEndsDocument } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { containsWords } from '../../filters/filters.ts';
import { editLink } from '../../forms/links.ts';
import type { Requester } from '../../graph/request.ts';
import { linkTo } from '../../links.ts';
import { useClock } from '../../view/clock.ts';
import { Link } from '../../view/link.tsx';
import { Panel } from '../../view/panel.tsx';
import { Failures } from '../../view/refusal.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { useReading } from '../../view/use-reading.ts';

const everyMs = 300_000;
const dayMs = 86_400_000;
const soonMs = 30 * dayMs;
/** What ends sooner needs attention. */
const urgentDays = 14;
const shownMost = 8;

interface Ending {
  readonly id: string;
  readonly what: 'certificate' | 'API token';
  readonly name: string;
  /** Its host names or its project. */
  readonly of: string;
  readonly at: string;
  readonly href: string;
}

export function EndsPanel({ text }: { readonly text: string }) {
  const { requester } = useDependencies();
  const read = useCallback(() => readEndings(requester), [requester]);
  const { value, failure } = useReading(read, undefined, everyMs);
  const shown = value?.filter(({ what, name, of }) => containsWords(text, [what, name, of])).slice(0, shownMost);
  return (
    <Panel name="ends" title="Ends soon" summary="30 days">
      <ScrollRegion label="Ends soon">
        <Failures failures={failure === null ? [] : [failure]} />
        {value === undefined && failure === null && <Skeleton />}
        {shown?.length === 0 && (
          <p className="hint">
            {text === '' ? 'Nothing that you may see ends in 30 days.' : 'None matches the filter.'}
          </p>
        )}
        <ul className="calls">
          {shown?.map((ending) => (
            <li key={ending.id}>
              <EndingLine ending={ending} />
            </li>
          ))}
        </ul>
      </ScrollRegion>
    </Panel>
  );
}

function EndingLine({ ending: { what, name, of, at, href } }: { readonly ending: Ending }) {
  const left = useClock((nowMs) => String(Math.floor((Date.parse(at) - nowMs) / dayMs)));
  const days = Number(left);
  return (
    <span className="line">
      <Link href={href}>{name}</Link>
      <span className="dim">
        {what}
        {of === '' ? '' : `, ${of}`}
      </span>
      <b className={`ends-in ${days < urgentDays ? 'tone-warn' : 'tone-calm'}`}>
        {days < 0 ? 'has ended' : days === 0 ? 'within a day' : `in ${days} ${days === 1 ? 'day' : 'days'}`}
      </b>
    </span>
  );
}

/** The soonest first. */
async function readEndings(requester: Requester): Promise<readonly Ending[]> {
  const nowMs = Date.now();
  const before = new Date(nowMs + soonMs).toISOString();
  const { tlsCertificates, apiTokens } = await requester.request(StartEndsDocument, { before });
  const certificates = tlsCertificates.nodes.map(({ id, name, validUntil, hostNames }): Ending => {
    const href = editLink('TlsCertificate', id);
    return { id, what: 'certificate', name, of: hostNames.join(' '), at: validUntil, href };
  });
  const tokens = apiTokens.nodes.flatMap(({ id, name, project, expiresAt, revokedAt }): readonly Ending[] => {
    // One that has ended stays in the list.
    const endsMs = expiresAt === null || revokedAt !== null ? Number.NaN : Date.parse(expiresAt);
    if (expiresAt === null || !(endsMs > nowMs && endsMs < nowMs + soonMs)) return [];
    const href = linkTo('ApiToken', id) ?? '';
    return [{ id, what: 'API token', name, of: project?.name ?? '', at: expiresAt, href }];
  });
  return [...certificates, ...tokens].sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
}
