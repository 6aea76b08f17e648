// The actor of an event, with its kind: a user and an API token may have the same name.
import type { ActorKind } from '../generated/cli/graphql.ts';

const kindWords: Readonly<Record<ActorKind, string>> = {
  ...{ USER: 'user', API_TOKEN: 'API token', MACHINE: 'machine', SYSTEM: 'Tidegate' },
};

export function actorText({ name, kind }: { readonly name: string; readonly kind: ActorKind }): string {
  return `${name} (${kindWords[kind]})`;
}
