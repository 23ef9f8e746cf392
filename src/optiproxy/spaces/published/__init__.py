"""The published cell spaces: NAS-Bench-101, NAS-Bench-201, DARTS (NAS-Bench-301) and NAS-Bench-NLP.

Read `nasbench201` first, the simplest; a space that needs more than one file has what its cells are beside it (`..._cells`,
`..._cell`), and the recurrent cells also which of them are near or the same (`..._relations`).
"""
