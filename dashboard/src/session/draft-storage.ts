// Where drafts of forms are kept in this tab when the login ends (forms/kept-draft.ts). Each page loads this, so it knows nothing of forms.
import { isObject, type JsonValue, jsonIn } from '../../../platform/values/json.ts';

interface Stored {
  /** Names are unique. */
  readonly user: string;
  /** By the form's place. */
  readonly drafts: Readonly<Record<string, JsonValue>>;
}

const storageKey = 'tidegate.drafts';
const mostDrafts = 20;
const longest = 500_000;

export function storedDraft(storage: Storage, user: string, place: string): JsonValue | undefined {
  return readStored(storage, user).drafts[place];
}

/** `draft` undefined: none is kept any more. */
export function storeDraft(storage: Storage, user: string, place: string, draft: JsonValue | undefined): void {
  const { [place]: old, ...others } = readStored(storage, user).drafts;
  if (draft === undefined && old === undefined) return;
  const all = Object.entries(draft === undefined ? others : { ...others, [place]: draft });
  const text = JSON.stringify({ user, drafts: Object.fromEntries(all.slice(-mostDrafts)) } satisfies Stored);
  try {
    if (all.length === 0 || text.length > longest) storage.removeItem(storageKey);
    else storage.setItem(storageKey, text);
  } catch {
    // The browser has no room: then nothing is kept.
    storage.removeItem(storageKey);
  }
}

/** Removes the drafts of all users but one. With `user` null, removes all. */
export function forgetOthersDrafts(storage: Storage, user: string | null): void {
  const text = storage.getItem(storageKey);
  if (text !== null && (user === null || ownerOf(text) !== user)) storage.removeItem(storageKey);
}

function readStored(storage: Storage, user: string): Stored {
  const text = storage.getItem(storageKey) ?? '';
  const stored = jsonIn(text) as unknown as Stored | undefined;
  return ownerOf(text) === user && isObject(stored?.drafts as JsonValue) ? (stored as Stored) : { user, drafts: {} };
}

function ownerOf(text: string): string | undefined {
  const stored = jsonIn(text);
  return isObject(stored ?? null) ? String((stored as { readonly user?: JsonValue }).user) : undefined;
}
