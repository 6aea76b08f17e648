// The addresses of forms. A page links to them without loading their code, or the registry of kinds.

/** `presets`: fields of the input that are filled in, such as the parent's id. Undefined ones are left out. */
export function newLink(kindType: string, presets: Readonly<Record<string, string | undefined>> = {}): string {
  const params = new URLSearchParams({ new: kindType });
  for (const [name, value] of Object.entries(presets)) if (value !== undefined) params.set(name, value);
  return `/form?${params}`;
}

/** The form that changes or deletes the object, or carries out its other actions. */
export function editLink(kindType: string, id: string): string {
  return `/form?${new URLSearchParams({ edit: kindType, id })}`;
}

/** A way back from a change of settings. */
export interface WayBack {
  /** The version's id. */
  readonly id: string;
  /** `undo`: without this change. `restore`: to the settings after it. `before`: to those before it. */
  readonly way: 'undo' | 'restore' | 'before';
}

/** The form in which the settings of a version are filled in. */
export function versionLink(
  version: { readonly id: string; readonly subjectType: string; readonly subjectId: string },
  way: WayBack['way'],
): string {
  const { id, subjectType, subjectId } = version;
  return `/form?${new URLSearchParams({ edit: subjectType, id: subjectId, version: id, way })}`;
}

/** The form in which a deleted object is created again. `version`: its deletion. */
export function againLink({ id, subjectType }: { readonly id: string; readonly subjectType: string }): string {
  return newLink(subjectType, { version: id, way: 'undo' });
}

/** The form of a call to a backend. `mutation`: one that is relayed; `relayCall` carries out any operation of the backend's driver. */
export function callLink(mutation: string, backendId: string, presets: Readonly<Record<string, string>> = {}): string {
  return `/form?${new URLSearchParams({ call: mutation, backend: backendId, ...presets })}`;
}

/** The form of an action that belongs to no single object, such as `remove` of a membership. */
export function actionLink(
  kindType: string,
  verb: string,
  presets: Readonly<Record<string, string | undefined>> = {},
): string {
  return newLink(kindType, { do: verb, ...presets });
}
