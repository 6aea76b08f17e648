// An export: all items of a paged field of the graph, as one file of lines.

export interface GraphExport {
  /** Served at /export/NAME.ndjson. */
  readonly name: string;
  /**
   * An operation with the variables `$projectId: ID` and `$after: String`, and one root field that answers with a list, with
   * `after` (the position of this page) and `upToDate`.
   */
  readonly query: string;
  /** The root field. */
  readonly field: string;
  /** The list's field name. */
  readonly items: string;
}
