// The reason of a refusal, with advice.
import type { RefusalFragment } from '../../../generated/dashboard/graphql.ts';
import { phraseOf } from '../../../schema/kinds/words.ts';
import { RequestError } from '../graph/request.ts';

const advice: Readonly<Record<RefusalFragment['retry'], string>> = {
  SAME_KEY: 'Nothing was changed. You can send the same request again.',
  SAME_KEY_AFTER_ACTION: 'Remove the cause, then send it again.',
  NEW_KEY: 'Not saved. Correct this field, then send it again.',
  NEVER: 'Nothing was changed. Trying again does not help.',
};

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly advice: string;
}

export function failuresOf(errors: readonly RefusalFragment[]): readonly Failure[] {
  return errors.map(({ code, message, field, retry, retryAfterMs }) => ({
    code,
    message: field.length > 0 ? `${message} (${fieldWords(field)})` : message,
    advice:
      retryAfterMs === null ? advice[retry] : `${advice[retry]} Wait ${Math.max(1, Math.ceil(retryAfterMs / 1000))} s.`,
  }));
}

/** The field's words, such as `port`, without the numbers of list items. */
function fieldWords(field: readonly string[]): string {
  const named = field.filter((part) => part !== 'input' && !/^\d+$/.test(part));
  return named.map(phraseOf).join(', ');
}

/** For a request without an answer: whether it was executed is not known. */
export function failureOf(error: unknown): Failure {
  const code = error instanceof RequestError ? error.code : 'INTERNAL';
  const message = error instanceof Error ? error.message : String(error);
  return {
    code,
    message,
    advice: code === 'UNREACHABLE' ? 'Trying again is safe: the request is never carried out twice.' : '',
  };
}

export function Failures({ failures }: { readonly failures: readonly Failure[] }) {
  if (failures.length === 0) return null;
  return (
    <div className="failures" role="alert">
      {failures.map((failure) => (
        <p key={`${failure.code} ${failure.message}`}>
          <strong>{failure.message}</strong> {failure.advice} <code>{failure.code}</code>
        </p>
      ))}
    </div>
  );
}
