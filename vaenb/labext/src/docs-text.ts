/** A Markdown text without its pictures, and links that were pictures: they lie where the page cannot reach. */
export function withoutPictures(markdown: string): string {
  const picture = /!\[[^\]]*\]\([^)]*\)/g;
  return markdown
    .replace(picture, '')
    .replace(/\[\s*\]\([^)]*\)/g, '')
    .replace(/\n{3,}/g, '\n\n');
}
