// Requested fields of an object, in the planner's text of an operation or in a request to a subgraph.

interface PlannedField {
  /** The field's own name. */
  readonly name: string;
  /** Internal name with arguments. */
  readonly head: string;
  readonly below: PlannedSelections | undefined;
}

export interface PlannedSelections {
  readonly fields: Map<string, PlannedField>;
  readonly conditions: Map<string, PlannedSelections>;
}

export function emptySelections(): PlannedSelections {
  return { fields: new Map(), conditions: new Map() };
}

export function isEmpty({ fields, conditions }: PlannedSelections): boolean {
  return fields.size === 0 && conditions.size === 0;
}

/** Adds the selections of other requests. */
export function addSelections(target: PlannedSelections, { fields, conditions }: PlannedSelections): void {
  for (const [internal, { name, head, below }] of fields) {
    const known = target.fields.get(internal)?.below ?? (below === undefined ? undefined : emptySelections());
    target.fields.set(internal, { name, head, below: known });
    if (known !== undefined && below !== undefined) addSelections(known, below);
  }
  for (const [type, selections] of conditions) {
    const known = target.conditions.get(type) ?? emptySelections();
    target.conditions.set(type, known);
    addSelections(known, selections);
  }
}

export function printField({ head, below }: PlannedField): string {
  return below === undefined ? head : `${head}{${printSelections(below)}}`;
}

export function printSelections({ fields, conditions }: PlannedSelections): string {
  const parts = [
    ...[...fields.values()].map(printField),
    ...[...conditions].map(([type, selections]) => `...on ${type}{${printSelections(selections)}}`),
  ];
  return parts.length === 0 ? '__typename' : parts.join(' ');
}
