// What a row is about: its name, and the CMP object that it is for.
import { type CmpObjectKey, formatCmpObject } from '../../cmp-object.ts';

interface WhatProps {
  readonly name: string;
  /** Default: the name. */
  readonly title?: string;
  readonly cmpObject: CmpObjectKey | null;
}

export function What({ name, title = name, cmpObject }: WhatProps) {
  return (
    <span className="what">
      <span className="name" title={title}>
        {name}
      </span>
      {cmpObject !== null && (
        <span className="object" title={formatCmpObject(cmpObject)}>
          {formatCmpObject(cmpObject)}
        </span>
      )}
    </span>
  );
}
