"""Reports as HTML pages that need nothing but themselves, figures as data and as SVG, and results in words.

`figures` holds the records that a figure is made of, `axes` chooses their ranges; `search` and `comparison` compute them and put
pages together; `svg` draws them, and sees nothing but these records, `plots` draws them with matplotlib. Read in this order.
"""
