/** Formats rows of cells as left-aligned columns. */
export function table(rows: readonly (readonly string[])[], indent = ''): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)));
  return rows
    .map(row => (indent + row.map((cell, i) => cell.padEnd(widths[i])).join('  ')).trimEnd())
    .join('\n');
}
