"""A Resource Manager for one machine: galleries, image versions, locations, providers, prices.

It shares no code with the product, so that one mistake cannot hide in both. What Azure does was
read in its documentation and in recorded exchanges; where that is unknown a switch offers each
answer (`/_localcloud/behaviour`).
"""
