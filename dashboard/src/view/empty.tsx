// Nothing matches the filters.

export function NoMatch({ what, onClear }: { readonly what: string; readonly onClear: () => void }) {
  return (
    <div className="empty">
      <p>No {what} matches the filters.</p>
      <button type="button" onClick={onClear}>
        Clear the filters
      </button>
    </div>
  );
}
