"""The result as something to read or file: html, md, zip, json. No HTTP and no storage."""
