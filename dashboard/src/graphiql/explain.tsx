// GraphiQL's panel "Explain": the requests of the tab's operation to each subgraph, and the operation's share of each limit. The gateway
// executes nothing for it.
import { type GraphiQLPlugin, useGraphiQL } from '@graphiql/react';
import { useRef, useState } from 'react';

type Step =
  | { readonly inOrder: readonly Step[] }
  | { readonly atOnce: readonly Step[] }
  | { readonly subgraph: string; readonly at?: readonly string[]; readonly request: string };

interface Explanation {
  readonly operation: { readonly hash: string; readonly isPublished: boolean };
  readonly limits: readonly { readonly limit: string; readonly requested: number; readonly most: number }[];
  readonly refusal: { readonly code: string; readonly message: string } | null;
  readonly plan: Step | null;
}

interface Answer {
  readonly data?: Explanation;
  readonly errors?: readonly { readonly message: string }[];
}

interface Question {
  readonly query: string;
  readonly variables?: unknown;
  readonly operationName?: string;
}

type AskPlan = (question: Question) => Promise<Response>;

export function explainPlugin(ask: AskPlan): GraphiQLPlugin {
  return { title: 'Explain', icon: PlanIcon, content: () => <Explain ask={ask} /> };
}

function PlanIcon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="2" aria-hidden="true">
      <path d="M5 5h6v5H5zM13 14h6v5h-6zM8 10v7h5" />
    </svg>
  );
}

function Explain({ ask }: { readonly ask: AskPlan }) {
  const { queryEditor, variableEditor, operationName } = useGraphiQL((state) => state);
  const [shown, setShown] = useState<Answer>();
  const asked = useRef(0);
  const explain = async (): Promise<void> => {
    asked.current += 1;
    const number = asked.current;
    setShown(undefined);
    const [query, variables] = [queryEditor?.getValue() ?? '', variableEditor?.getValue() ?? ''];
    const answer = await answerTo(ask, query, variables, operationName);
    // Another question was asked while this one waited.
    if (number === asked.current) setShown(answer);
  };
  return (
    <section className="explain" aria-label="Explain">
      <div className="graphiql-doc-explorer-title">Explain</div>
      <p>What the gateway would do with the operation of this tab. Nothing is executed.</p>
      <button type="button" className="graphiql-button" onClick={() => void explain()}>
        Explain
      </button>
      {shown?.errors?.map(({ message }) => (
        <p key={message} role="alert">
          {message}
        </p>
      ))}
      {shown?.data !== undefined && <Explained {...shown.data} />}
    </section>
  );
}

function Explained({ operation, limits, refusal, plan }: Explanation) {
  return (
    <>
      {refusal !== null && <p role="alert">{refusal.message}</p>}
      <p>
        {operation.isPublished ? 'Published' : 'Not published'}: <code>{operation.hash}</code>
      </p>
      <table>
        <thead>
          <tr>
            <th>Limit</th>
            <th>Requested</th>
            <th>Most</th>
          </tr>
        </thead>
        <tbody>
          {limits.map(({ limit, requested, most }) => (
            <tr key={limit}>
              <td>{limit}</td>
              <td>{requested}</td>
              <td>{most}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {plan !== null && <PlanStep step={plan} />}
    </>
  );
}

function PlanStep({ step }: { readonly step: Step }) {
  if ('subgraph' in step)
    return (
      <>
        <strong>{step.subgraph}</strong>
        {step.at !== undefined && <span>, for {step.at.join(' and ')}</span>}
        <pre>{step.request}</pre>
      </>
    );
  const isInOrder = 'inOrder' in step;
  const steps = isInOrder ? step.inOrder : step.atOnce;
  // A plan is shown once, and never changes.
  const items = steps.map((each, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: see above
    <li key={index}>
      <PlanStep step={each} />
    </li>
  ));
  return isInOrder ? (
    <ol>{items}</ol>
  ) : (
    <>
      at once:
      <ul>{items}</ul>
    </>
  );
}

async function answerTo(ask: AskPlan, query: string, variables: string, operationName?: string): Promise<Answer> {
  try {
    const response = await ask({
      query,
      ...(variables.trim() === '' ? {} : { variables: JSON.parse(variables) as unknown }),
      ...(operationName === undefined ? {} : { operationName }),
    });
    return (await response.json()) as Answer;
  } catch (error) {
    const message = error instanceof SyntaxError ? 'The variables are not JSON.' : 'The gateway does not answer.';
    return { errors: [{ message }] };
  }
}
