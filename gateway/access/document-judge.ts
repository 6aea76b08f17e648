// Judges a new document: all steps whose time is proportional to the document, or worse. Runs in a separate process (process-judge.ts). Requests and
// verdicts are plain objects.
import { Kind, print, visit } from 'graphql';
import { CodedError } from '../../platform/errors/errors.ts';
import { type DocumentChecks, operationOf, parsed, type Standing } from './document-checks.ts';
import { type GraphqlDocumentFault, InvalidGraphqlDocument } from './invalid-document.ts';

export interface Question {
  readonly text: string;
  readonly operationName: string | undefined;
  /** Undefined if another check enforces the limits of the operation. */
  readonly request:
    | {
        readonly standing: Standing;
        /** Variables that determine the number of requested items. */
        readonly figures: Readonly<Record<string, unknown>>;
      }
    | undefined;
}

export type Verdict =
  /** `text`: an equal document that is parsed faster, if there is one. */
  | { readonly kind: 'valid'; readonly tokens: number; readonly text?: string }
  /** `ofDocument`: the verdict applies to every request. */
  | { readonly kind: 'invalid'; readonly faults: readonly GraphqlDocumentFault[]; readonly ofDocument: boolean }
  | {
      readonly kind: 'refused';
      readonly code: CodedError['code'];
      readonly message: string;
      readonly details: CodedError['details'];
    };

/** Port of the judge. It judges one document at a time. */
export interface Judge {
  /** Throws UNAVAILABLE. */
  judge(question: Question): Promise<Verdict>;
}

export function judged(checks: DocumentChecks, { text, operationName, request }: Question): Verdict {
  let ofDocument = true;
  try {
    const tokens = checks.size(text, request?.standing ?? 'user');
    const document = parsed(text);
    ofDocument = false;
    if (request === undefined) operationOf(document, operationName);
    else checks.check(document, { operationName, variables: request.figures }, request.standing);
    ofDocument = true;
    checks.validate(text);
    const short = hasBlocks(text) ? { text: withoutBlocks(document) } : {};
    return { kind: 'valid', tokens, ...short };
  } catch (error) {
    if (error instanceof InvalidGraphqlDocument) return { kind: 'invalid', faults: error.faults, ofDocument };
    if (!(error instanceof CodedError)) throw error;
    const { code, message, details } = error;
    return { kind: 'refused', code, message, details };
  }
}

function hasBlocks(text: string): boolean {
  return text.includes('"""');
}

/** A text on several lines takes ten times as long to parse as one on a single line. */
function withoutBlocks(document: ReturnType<typeof parsed>): string {
  return print(
    visit(document, { [Kind.STRING]: (node) => (node.block === true ? { ...node, block: false } : undefined) }),
  );
}

/** Variables in the form that a measure needs. Anything other than a number or null is equivalent. */
export function figuresOf(variables: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, typeof value === 'number' || value == null ? value : true]),
  );
}
