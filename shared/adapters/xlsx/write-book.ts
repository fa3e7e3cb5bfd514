// The book port on write-excel-file. Every cell is given its type, so that no text can become a formula.
import writeExcelFile from "write-excel-file/node";
import type { WriteBook } from "../../ports/book.ts";

/** A text that a spreadsheet would read as a formula, should somebody save it as CSV, gets a mark in front as people would type it. */
const plain = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);

export const writeXlsx: WriteBook = async (sheets) =>
  writeExcelFile(
    sheets.map(({ name, columns, rows }) => ({
      sheet: name,
      columns: columns.map(({ width }) => ({ width })),
      stickyRowsCount: 1,
      data: [
        columns.map(({ title }) => ({ type: String, value: title, fontWeight: "bold" as const })),
        ...rows.map((row) =>
          row.map((cell) =>
            cell === null
              ? null
              : typeof cell === "number"
                ? { type: Number, value: cell }
                : { type: String, value: plain(cell) },
          ),
        ),
      ],
    })),
  ).toBuffer();
