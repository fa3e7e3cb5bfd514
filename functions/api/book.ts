// Beside the function: what writes spreadsheets, loaded when somebody asks for one.
import { writeXlsx } from "../../shared/adapters/xlsx/write-book.ts";
import type { WriteBook } from "../../shared/ports/book.ts";

export const writeBook: WriteBook = writeXlsx;
