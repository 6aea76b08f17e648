// The last changes of settings, by whom: `admin changed web: min nodes 2 → 3`.
import { useCallback } from 'react';
import { StartChangesDocument, type StartChangesQuery } from '../../../../generated/dashboard/graphql.ts';
import { phraseOf } from '../../../../schema/kinds/words.ts';
import { useDependencies } from '../../context.ts';
import { linkTo } from '../../links.ts';
import { formatType } from '../../view/format.ts';
import { Link } from '../../view/link.tsx';
import { Panel } from '../../view/panel.tsx';
import { Failures } from '../../view/refusal.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { Time } from '../../view/time.tsx';
import { useReading } from '../../view/use-reading.ts';

type Version = StartChangesQuery['configurationVersions']['nodes'][number];

const everyMs = 15_000;
const longestValue = 40;

export function ChangesPanel() {
  const { requester } = useDependencies();
  const read = useCallback(
    async () => (await requester.request(StartChangesDocument, {})).configurationVersions.nodes,
    [requester],
  );
  const { value, failure } = useReading(read, undefined, everyMs);
  return (
    <Panel
      name="settings"
      title="Changed settings"
      tools={
        <Link className="form-link" href="/deleted">
          Deleted objects
        </Link>
      }
    >
      <ScrollRegion list="settings" label="Changed settings">
        <Failures failures={failure === null ? [] : [failure]} />
        {value === undefined && failure === null && <Skeleton />}
        {value?.length === 0 && <p className="hint">Nobody has changed anything yet.</p>}
        <ul className="calls">
          {value?.map((version) => (
            <li key={version.id}>
              <ChangeLine version={version} />
            </li>
          ))}
        </ul>
      </ScrollRegion>
    </Panel>
  );
}

function ChangeLine({ version }: { readonly version: Version }) {
  const { changedAt, actor, subjectType, subjectId, subjectName, deleted } = version;
  const href = deleted ? undefined : linkTo(subjectType, subjectId);
  const what = `${formatType(subjectType)} ${subjectName}`;
  const changes = changesIn(version);
  return (
    <span className="line">
      <Time at={changedAt} />
      <span>
        <b>{actor?.name ?? 'Somebody'}</b> {deedOf(version)}{' '}
        {href === undefined ? what : <Link href={href}>{what}</Link>}
        {changes === '' ? '' : `: ${changes}`}
      </span>
    </span>
  );
}

function deedOf({ deleted, number }: Version): string {
  return deleted ? 'deleted' : number === 1 ? 'created' : 'changed';
}

function changesIn({ deleted, number, changes, secretFieldsSet }: Version): string {
  if (deleted || number === 1) return '';
  const [first, ...others] = changes;
  const secrets = secretFieldsSet.map((field) => `${phraseOf(field)} set`);
  if (first === undefined) return secrets.join(', ');
  const more = others.length === 0 ? [] : [`${others.length} more`];
  return [`${phraseOf(first.field)} ${shown(first.before)} → ${shown(first.after)}`, ...more, ...secrets].join(', ');
}

/** Lists, parts and ids of objects are only counted or left out. */
function shown(value: unknown): string {
  if (value === null || value === '') return 'none';
  if (Array.isArray(value)) return value.length === 1 ? '1 entry' : `${value.length} entries`;
  if (typeof value === 'object') return 'other values';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  const text = String(value);
  if (/^[\w-]{40,}$/.test(text)) return 'another object';
  return text.length > longestValue ? `${text.slice(0, longestValue - 1)}…` : text;
}
