// The way to the server on a page: a line a hop, and in words where the box is.
#ifndef LOGS_VIEW_PATH_PAGE_H_
#define LOGS_VIEW_PATH_PAGE_H_

#include "logs/view/page.h"

// path_page_head writes what stands above the hops, path_page_hop the line of one, of KIND_HOP.
void path_page_head(struct page *page);
void path_page_hop(struct page *page, const struct obj *hop);

// path_page_says writes how far away the server is, and where the box is if one was found. `path`
// is of KIND_PATH.
void path_page_says(struct page *page, const struct obj *path);

#endif // LOGS_VIEW_PATH_PAGE_H_
