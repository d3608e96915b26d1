/** Columns side by side, the first `left` of them flush left, numbers flush right. */
export function table(rows: readonly (readonly string[])[], indent = '', numeric = false): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)));
  return rows
    .map(row => {
      const cells = row.map((cell, i) => (numeric ? cell.padStart(widths[i]) : cell.padEnd(widths[i])));
      return (indent + cells.join('  ')).trimEnd();
    })
    .join('\n');
}
