// The address of a part of a container: `/container?id=ID&prefix=photos/2026/`. A prefix is a folder, and the beginning of names in it.
import type { FilterFormat, Filters } from '../../filters/filters.ts';

interface ContainerFilters extends Filters {
  readonly id: string | null;
  readonly prefix: string;
}

const path = '/container';
const longestPrefix = 1_024;

export const filterFormat: FilterFormat<ContainerFilters> = {
  parse(search) {
    const params = new URLSearchParams(search);
    const prefix = (params.get('prefix') ?? '').slice(0, longestPrefix);
    return { projectId: null, text: '', open: null, id: params.get('id') || null, prefix };
  },
  format: ({ id, prefix }) => (id === null ? '' : folderLink(id, prefix).slice(path.length)),
};

export function folderLink(id: string, prefix: string): string {
  return `${path}?${new URLSearchParams({ id, ...(prefix === '' ? {} : { prefix }) })}`;
}

/** `photos/2026/` of `photos/2026/ca`. */
export function folderOf(prefix: string): string {
  return prefix.slice(0, prefix.lastIndexOf('/') + 1);
}

/** From the container's root down to this one: `photos/`, `photos/2026/`. */
export function foldersTo(folder: string): readonly { readonly prefix: string; readonly name: string }[] {
  const names = folder.split('/').slice(0, -1);
  return names.map((name, index) => ({ name: name || '/', prefix: `${names.slice(0, index + 1).join('/')}/` }));
}
