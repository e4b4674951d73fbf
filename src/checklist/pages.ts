import type { CheckedRow, Checklist } from './report.ts'

export interface PageTitle {
  /** Names the deployment: the file of its configuration. */
  readonly deployment: string
  readonly version: string
}

const COLUMNS = ['#', 'Area', 'Item', 'Priority', 'Status', 'Evidence'] as const

const cells = (row: CheckedRow) => [String(row.number), row.area, row.item, row.priority, row.status, row.evidence]

/** How many rows have which status: "20 pass, 2 fail". */
export function summary({ rows }: Checklist): string {
  const counts = Map.groupBy(rows, ({ status }) => status)
  return [...counts].map(([status, group]) => `${group.length} ${status}`).join(', ')
}

export function markdownPage(checklist: Checklist, { deployment, version }: PageTitle): string {
  const escape = (text: string) => text.replaceAll(/[\\|<>*_`[\]]/g, '\\$&').replaceAll(/\s+/g, ' ')
  const line = (texts: readonly string[]) => `| ${texts.join(' | ')} |`
  return [
    '# Security checklist',
    '',
    `${escape(deployment)}, ${checklist.time}, Sallyport ${version}: ${summary(checklist)}.`,
    '',
    line(COLUMNS),
    line(COLUMNS.map(() => '---')),
    ...checklist.rows.map(row => line(cells(row).map(escape))),
  ].join('\n')
}

/** What a content security policy has to let through, by its hash. */
export const PAGE_STYLE = `
@page { size: A4 landscape; margin: 8mm }
body { font: 8.5px/1.25 system-ui, sans-serif; margin: 1em }
h1 { font-size: 15px; margin: 0 }
p { margin: 2px 0 6px }
table { border-collapse: collapse; width: 100% }
th, td { border: 1px solid #bbb; padding: 2px 4px; text-align: left; vertical-align: top; overflow-wrap: anywhere }
td:nth-child(-n + 5) { white-space: nowrap; overflow-wrap: normal }
td:nth-child(3) { white-space: normal; min-width: 16em }
td:nth-child(5) { font-weight: bold }
.pass td:nth-child(5), .attested td:nth-child(5) { color: #060 }
.fail td:nth-child(5), .expired td:nth-child(5) { color: #a00 }
.attest-needed td:nth-child(5) { color: #850 }
`

/** One page of A4 on its side, without anything from elsewhere. */
export function htmlPage(checklist: Checklist, { deployment, version }: PageTitle): string {
  const row = (each: CheckedRow) =>
    `<tr class="${each.status}">${cells(each)
      .map(text => `<td>${escapeHtml(text)}</td>`)
      .join('')}</tr>`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Security checklist: ${escapeHtml(deployment)}</title>
<style>${PAGE_STYLE}</style>
<h1>Security checklist</h1>
<p>${escapeHtml(deployment)}, ${checklist.time}, Sallyport ${escapeHtml(version)}: ${summary(checklist)}. Critical rows: ${checklist.ok ? 'all hold' : 'not all hold'}.</p>
<table>
<thead><tr>${COLUMNS.map(text => `<th>${text}</th>`).join('')}</tr></thead>
<tbody>
${checklist.rows.map(row).join('\n')}
</tbody>
</table>
</html>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, character => ENTITIES[character] ?? '')
}
