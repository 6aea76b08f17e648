// Why a client gets its answer: a form, then each step with the members left out, and the answer of every name server.
import { useCallback, useState } from 'react';
import {
  GslbExplanationDocument,
  type GslbExplanationQuery,
  type GslbExplanationQueryVariables,
} from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { formatWord } from '../../view/format.ts';
import { Panel } from '../../view/panel.tsx';
import { Failures } from '../../view/refusal.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { Time } from '../../view/time.tsx';
import { useReading } from '../../view/use-reading.ts';
import { latestEntered, pointOf, useZone, zoneName } from '../../view/zone.ts';
import { drawOf, drawWords, isInStep } from './server-standing.ts';

type Explanation = NonNullable<GslbExplanationQuery['gslbExplain']>;
type Answer = Explanation['answer'];
type Server = Explanation['servers'][number];

interface Question {
  readonly name: string;
  readonly type: NonNullable<GslbExplanationQueryVariables['type']>;
  readonly client: string;
  /** Null for now. */
  readonly at: string | null;
}

const everyMs = 15_000;
const types: readonly Question['type'][] = ['A', 'AAAA', 'CNAME'];

interface ExplainPanelProps {
  readonly fqdn: string;
  /** Another number after each change of the name. */
  readonly news: number;
}

export function ExplainPanel({ fqdn, news }: ExplainPanelProps) {
  const { requester } = useDependencies();
  const [question, setQuestion] = useState<Question>({ name: fqdn, type: 'A', client: '', at: null });
  const read = useCallback(async () => {
    const { name, type, client, at } = question;
    const variables = { name, type, client: client || null, at };
    return (await requester.request(GslbExplanationDocument, variables)).gslbExplain;
  }, [requester, question]);
  const { value: explanation, failure } = useReading(read, String(news), everyMs);
  return (
    <Panel name="explain" title="Why this answer">
      <ScrollRegion label="Explanation">
        <QuestionForm question={question} onAsk={setQuestion} />
        {failure !== null && <Failures failures={[failure]} />}
        {explanation === undefined && failure === null && <p className="hint">Asking…</p>}
        {explanation === null && (
          <p className="hint">
            No answer found: the name does not exist, you may not see it, or the answer of that time is no longer kept.
          </p>
        )}
        {explanation !== undefined && explanation !== null && <Explained explanation={explanation} />}
      </ScrollRegion>
    </Panel>
  );
}

interface QuestionFormProps {
  readonly question: Question;
  readonly onAsk: (question: Question) => void;
}

function QuestionForm({ question, onAsk }: QuestionFormProps) {
  const zone = useZone();
  const [draft, setDraft] = useState({ ...question, at: '' });
  const change = (patch: Partial<typeof draft>) => setDraft({ ...draft, ...patch });
  return (
    <form
      className="question"
      onSubmit={(event) => {
        event.preventDefault();
        // A new object: the same question is asked again.
        onAsk({ ...draft, name: draft.name.trim(), client: draft.client.trim(), at: pointOf(draft.at, zone) });
      }}
    >
      <label className="field">
        Name
        <input value={draft.name} maxLength={254} required onChange={(event) => change({ name: event.target.value })} />
      </label>
      <label className="field">
        Type
        <select
          value={draft.type}
          onChange={(event) => change({ type: types.find((type) => type === event.target.value) ?? 'A' })}
        >
          {types.map((type) => (
            <option key={type}>{type}</option>
          ))}
        </select>
      </label>
      <label className="field">
        Client
        <input
          value={draft.client}
          maxLength={49}
          placeholder="198.51.100.7 or 198.51.100.0/24"
          onChange={(event) => change({ client: event.target.value })}
        />
      </label>
      <label className="field">
        At ({zoneName(zone, Date.now())})
        <input
          type="datetime-local"
          max={latestEntered}
          step={1}
          value={draft.at}
          onChange={(event) => change({ at: event.target.value })}
        />
      </label>
      <button type="submit">Explain</button>
    </form>
  );
}

function Explained({ explanation }: { readonly explanation: Explanation }) {
  const { askedAt, answer, steps, servers, flip, generation, clientRegion, clientCountry, clientContinent } =
    explanation;
  const client = [clientRegion && `region ${clientRegion}`, clientCountry, clientContinent].filter(Boolean).join(', ');
  return (
    <div className="explained">
      <p>
        <code className="answer">{textOf(answer)}</code>{' '}
        <span className="dim">
          scope /{answer.scopeBits ?? 0} · plan {generation}
          {askedAt !== null && (
            <>
              {' '}
              of <Time at={askedAt} />
            </>
          )}{' '}
          · {client === '' ? 'client unknown' : `client: ${client}`}
        </span>
      </p>
      {flip !== null && (
        <p className="dim">
          Since <Time at={flip.changedAt} />: {flip.reason}
        </p>
      )}
      <ol className="steps-told">
        {steps.map(({ step, kept, left }, index) => (
          // A step may be there twice.
          // biome-ignore lint/suspicious/noArrayIndexKey: the list is replaced as a whole.
          <li key={index}>
            <b>{formatWord(step)}</b> <span className="dim">keeps {kept.map(nameOf).join(', ') || 'none'}</span>
            {left.length > 0 && (
              <ul>
                {left.map((each) => (
                  <li key={each.id} className="dim">
                    not {nameOf(each)}: {each.reason}
                  </li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ol>
      {askedAt === null && <ServersTable servers={servers} draw={drawOf(steps)} />}
    </div>
  );
}

interface ServersTableProps {
  readonly servers: readonly Server[];
  readonly draw: ReturnType<typeof drawOf>;
}

function ServersTable({ servers, draw }: ServersTableProps) {
  if (servers.length === 0) return <p className="dim">None of our name servers serves this zone.</p>;
  return (
    <table className="servers">
      <thead>
        <tr>
          <th scope="col">Name server</th>
          <th scope="col">Answers now</th>
          <th scope="col">Expected</th>
        </tr>
      </thead>
      <tbody>
        {servers.map((server) => (
          <tr key={server.name}>
            <td>
              {server.name} <span className="dim">{server.address}</span>
            </td>
            <td>
              {server.answered === null ? (
                <span className="message">{server.message}</span>
              ) : (
                <>
                  <code>{textOf(server.answered)}</code> <span className="dim">{server.latencyMs} ms</span>
                </>
              )}
            </td>
            <td>
              <Planned server={server} draw={draw} />
              {server.behind > 0 && <span className="message"> {server.behind} behind</span>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A draw has no answer of its own: each query gets another. */
function Planned({ server, draw }: { readonly server: Server; readonly draw: ServersTableProps['draw'] }) {
  const inStep = isInStep(server, draw);
  if (draw !== undefined && inStep !== false) return <span className="dim">{drawWords(draw)}</span>;
  if (server.planned === null) return <span className="dim">unknown</span>;
  return (
    <>
      <code>{draw === undefined ? textOf(server.planned) : draw.among.join(', ')}</code>
      {inStep === false && <span className="message"> differs</span>}
    </>
  );
}

function textOf({ outcome, records }: Answer): string {
  if (records.length === 0) return outcome === 'SERVFAIL' ? 'SERVFAIL' : 'no records';
  const [first] = records;
  return `${records.map(({ data }) => data).join(' ')} (${first?.ttlSeconds} s)`;
}

function nameOf({ id, member }: { readonly id: string; readonly member: { readonly name: string } | null }): string {
  return member?.name ?? `a deleted member (${id.slice(-6)})`;
}
